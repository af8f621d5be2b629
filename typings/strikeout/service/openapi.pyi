from engine.service.openapi import *
