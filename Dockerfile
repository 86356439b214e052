# Any command of outcomes, as a user without rights, from a wheel that is built here. The study is a volume:
#   docker build -t outcomes .
#   docker run --rm -v "$PWD/study:/study" outcomes refresh /study
# A service beside a Prefect server (docs/operations.md) needs its address:
#   docker run -d --restart unless-stopped -v "$PWD/study:/study" -e PREFECT_API_URL=http://server:4200/api outcomes
FROM python:3.11-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
COPY flows ./flows
COPY sql ./sql
COPY expectations ./expectations
COPY notebooks ./notebooks
RUN python -m pip install --no-cache-dir build \
    && python -m build --wheel --outdir /wheel

FROM python:3.11-slim
# The study's folder must be writable for this user: chown -R 10001:10001 study
RUN groupadd --gid 10001 outcomes \
    && useradd --uid 10001 --gid 10001 --create-home --shell /usr/sbin/nologin outcomes \
    && install --directory --owner=10001 --group=10001 --mode=750 /study
COPY constraints.txt /tmp/constraints.txt
COPY --from=build /wheel /tmp/wheel
RUN python -m venv /opt/outcomes \
    && /opt/outcomes/bin/pip install --no-cache-dir -c /tmp/constraints.txt /tmp/wheel/*.whl \
    && rm -r /tmp/wheel /tmp/constraints.txt
ENV PATH=/opt/outcomes/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONSAFEPATH=1 \
    PREFECT_SERVER_ANALYTICS_ENABLED=false \
    DO_NOT_TRACK=1
USER 10001:10001
WORKDIR /home/outcomes
VOLUME /study
ENTRYPOINT ["outcomes"]
CMD ["serve", "/study", "--watch"]
