"""The service: facts taken, decisions given and accounted for over HTTP; needs the extra `service`.

`app.py` has the application, `table.py` its routes, `types.py` what goes over the wire.
"""
