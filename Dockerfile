# One image for every process: orienta serve, orienta worker, orienta beat, orienta migrate.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/orienta
COPY requirements.lock pyproject.toml README.md ./
COPY crm crm
COPY retrieval retrieval
COPY tools tools
COPY agents agents
COPY api api
COPY evals evals
RUN /opt/orienta/bin/pip install --no-cache-dir --disable-pip-version-check -c requirements.lock .

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 10001 orienta \
    && mkdir /data && chown orienta:orienta /data
COPY --from=build /opt/orienta /opt/orienta
ENV PATH=/opt/orienta/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ORIENTA_HOME=/data \
    ORIENTA_HOST=0.0.0.0 \
    ORIENTA_PORT=8000
USER orienta
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["orienta"]
CMD ["serve"]
