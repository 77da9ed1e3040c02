# The gateway as an image: a virtual environment on a slim Python, no build tools, no shell needed, not root.
# A release names the base by digest: docker build --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:... .
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
RUN python -m venv /opt/fasttrack
# The locked packages first: this layer changes only with the lock file.
COPY requirements.lock requirements-dev.lock ./
RUN /opt/fasttrack/bin/pip install --require-hashes --only-binary :all: -r requirements.lock
# The build backend comes from the lock of the developers' tools, alone and by hash, and stays in this stage.
RUN python -m venv /opt/build \
    && awk '/^[^ ]/ { wanted = /^setuptools==/ } wanted' requirements-dev.lock > /opt/build/backend.lock \
    && /opt/build/bin/pip install --require-hashes -r /opt/build/backend.lock
COPY pyproject.toml README.md ./
COPY gateway gateway
COPY adapters adapters
COPY certs certs
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /opt/build/wheels . \
    && /opt/fasttrack/bin/pip install --no-deps --no-index /opt/build/wheels/*.whl \
    && /opt/fasttrack/bin/pip uninstall --yes pip

FROM ${PYTHON_IMAGE}
ENV PATH=/opt/fasttrack/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=build /opt/fasttrack /opt/fasttrack
# Numbers, not names: Kubernetes checks runAsNonRoot by number. Writable at run time are only the mounts the chart gives.
USER 10001:10001
WORKDIR /tmp
EXPOSE 8443
ENTRYPOINT ["fasttrack"]
CMD ["serve"]
