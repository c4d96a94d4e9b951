# Rota as process 1 of a container. An app of one's own builds on it:
#     FROM rota
#     COPY --chown=rota main.py .
#     ENV ROTA_APP=main:app

FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/rota
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/rota/bin/pip install --no-cache-dir --disable-pip-version-check '.[all]'

FROM python:3.13-slim
RUN groupadd --gid 10001 rota \
    && useradd --uid 10001 --gid rota --home-dir /var/lib/rota --create-home --shell /usr/sbin/nologin rota
COPY --from=build /opt/rota /opt/rota
ENV PATH=/opt/rota/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER rota
WORKDIR /var/lib/rota
EXPOSE 8470
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["rota", "health"]
ENTRYPOINT ["rota"]
CMD ["run"]
