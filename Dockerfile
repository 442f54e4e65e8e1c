# syntax=docker/dockerfile:1

# The images that everything is made of. A release gives each by digest:
#   docker build --build-arg BUILD_IMAGE=node@sha256:… --build-arg RUN_IMAGE=gcr.io/distroless/nodejs26-debian13@sha256:… .
#   docker build --target tools --build-arg GO_IMAGE=golang@sha256:… --build-arg BUILD_IMAGE=… --build-arg RUN_IMAGE=… .
# RUN_IMAGE holds Node and what it links to (libatomic1 among it): no shell, no package manager.
ARG BUILD_IMAGE=docker.io/library/node:26.10.0-trixie-slim
ARG GO_IMAGE=docker.io/library/golang:1.26.8-trixie
ARG RUN_IMAGE=gcr.io/distroless/nodejs26-debian13:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY tools/node-runtime tools/node-runtime
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json
# What is shipped, and the list of it. npm leaves packages out of that list which development needs as well, so nothing may
# speak of development any more.
RUN npm ci --omit=dev --ignore-scripts && npm pkg delete devDependencies && npm sbom --sbom-format cyclonedx > sbom.cdx.json

FROM ${RUN_IMAGE} AS agent
LABEL org.opencontainers.image.title="etcd-warden" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.description="Keeps etcd clusters recoverable and small." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.documentation="docs/operations.md"
COPY --from=build /build/package.json /build/sbom.cdx.json /app/
COPY --from=build /build/node_modules /app/node_modules
COPY --from=build /build/dist /app/dist
COPY LICENSE config.example.yaml /app/
ENV NODE_ENV=production
# By number: a pod that must not run as root can be checked without looking into the image.
USER 65532:65532
WORKDIR /
EXPOSE 9427
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/main.js"]
CMD ["run"]

# Out of the modules of the tests' own servers: what is shipped is what the tests restore with, byte for byte where Go is the same.
FROM ${GO_IMAGE} AS etcd
WORKDIR /build
COPY tools/image/build-etcd.sh ./
COPY test/toolchain/etcd35/go.mod test/toolchain/etcd35/go.sum 3.5/
COPY test/toolchain/etcd36/go.mod test/toolchain/etcd36/go.sum 3.6/
COPY test/toolchain/etcd37/go.mod test/toolchain/etcd37/go.sum 3.7/
RUN sh build-etcd.sh

# The agent with etcd and etcdutl of each minor version, for restoring and for drills.
FROM agent AS tools
LABEL org.opencontainers.image.title="etcd-warden-tools"
COPY --from=etcd /build/etcd /opt/etcd

# The last stage is what is built where no --target is given.
FROM agent AS default
