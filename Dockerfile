# The service in a container: it is installed in a first stage, and only what is installed comes into the second.
#
#   docker build --tag strikeout .
#   docker run --rm strikeout --help
#   docker run --rm --volume strikeout:/data strikeout key new --scope author --scope read --name operator
#   docker run --rm --volume strikeout:/data --publish 127.0.0.1:8080:8080 --stop-timeout 40 strikeout
#
# Python 3.13 has no durable-rules (the service does not use it), so nothing needs a compiler.

FROM python:3.13-slim AS build
WORKDIR /source
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY engine engine
COPY graphs graphs
COPY rulesets rulesets
RUN python -m pip wheel --no-cache-dir --wheel-dir /wheels ".[client,postgres,service]"
# Without pip: nothing is installed later on.
RUN python -m venv --without-pip /opt/strikeout && \
    python -m pip --python /opt/strikeout/bin/python install --no-cache-dir --no-index --find-links /wheels \
        "strikeout[client,postgres,service]"

FROM python:3.13-slim
COPY --from=build /opt/strikeout /opt/strikeout
# A number, so that an orchestrator can see that it is not root. /data holds the database where that is SQLite,
# /rulesets the rulesets of one's own.
RUN groupadd --gid 10001 strikeout && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin strikeout && \
    install --directory --owner 10001 --group 10001 --mode 0750 /data && \
    install --directory --mode 0755 /rulesets
ENV PATH=/opt/strikeout/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    STRIKEOUT_DB=sqlite:////data/strikeout.db
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080
# Docker sends this to stop the service, which then answers what it has begun and closes the database.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["strikeout"]
# It listens to the whole container, and therefore starts only where the database has a key (`strikeout key new`).
CMD ["serve", "--rulesets", "/rulesets", "--host", "0.0.0.0", "--port", "8080"]
