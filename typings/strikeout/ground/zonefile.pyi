from engine.ground.zonefile import *
