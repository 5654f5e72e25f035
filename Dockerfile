# vode on a CPU: docker build -t vode . && docker run --rm -v "$PWD:/work" vode walk.mp4 --fov 65
# docs/robots.md has more.

FROM python:3.11-slim AS build
# Where torch comes from: by default without CUDA, which would be gigabytes.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/vode
ENV PATH=/opt/vode/bin:$PATH
RUN pip install --index-url "$TORCH_INDEX" torch torchvision
WORKDIR /source
COPY setup.py setup.cfg pyproject.toml README.md LICENSE ./
COPY splits splits
COPY vode vode
RUN pip install '.[ros]'

FROM python:3.11-slim
RUN useradd --create-home --uid 1000 vode
COPY --from=build /opt/vode /opt/vode
# Whoever runs it, the home that matplotlib and others write to is there.
ENV PATH=/opt/vode/bin:$PATH PYTHONUNBUFFERED=1 HOME=/tmp
USER vode
WORKDIR /work
ENTRYPOINT ["vode", "run"]
CMD ["--help"]
