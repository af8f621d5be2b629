from engine.zonefile import *
