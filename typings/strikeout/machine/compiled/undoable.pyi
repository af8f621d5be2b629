from engine.machine.compiled.undoable import *
