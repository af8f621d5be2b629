from engine.pictures.picture_complaints import *
