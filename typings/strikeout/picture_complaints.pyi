from engine.picture_complaints import *
