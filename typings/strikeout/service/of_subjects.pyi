from engine.service.of_subjects import *
