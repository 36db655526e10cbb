# One image for everything: `service web` (the default), `worker`, `service migrate` ...
# Debian-based on purpose: google-re2 has no wheel for musl.

FROM python:3.13-slim-bookworm AS build
COPY requirements.txt /
RUN python -m venv --without-pip /opt/anteroom \
 && pip --python /opt/anteroom/bin/python --no-cache-dir --disable-pip-version-check \
    install --only-binary :all: -r /requirements.txt

FROM python:3.13-slim-bookworm
RUN groupadd --system --gid 10001 anteroom \
 && useradd --system --uid 10001 --gid anteroom --home-dir /app --no-create-home anteroom
COPY --from=build /opt/anteroom /opt/anteroom
WORKDIR /app
COPY service service
COPY worker worker
# Byte code now: the file system is read-only when it runs.
RUN /opt/anteroom/bin/python -m compileall -q service worker

ENV PATH=/opt/anteroom/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8000
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "service.healthcheck", "web"]
# SIGTERM reaches the program itself: it finishes what it has in hand and ends.
ENTRYPOINT ["python", "-m"]
CMD ["service", "web"]
