# syntax=docker/dockerfile:1
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist --package homerealm && install -d -m 0700 /data

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Homerealm" \
      org.opencontainers.image.description="Federation broker: SAML and OIDC in, local API tokens out" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/dist/homerealm /usr/local/bin/homerealm
COPY --from=build --chown=65532:65532 /data /var/lib/homerealm
USER 65532:65532
WORKDIR /var/lib/homerealm
ENV HOMEREALM_LISTEN=0.0.0.0:8080
EXPOSE 8080
VOLUME /var/lib/homerealm
STOPSIGNAL SIGTERM
ENTRYPOINT ["homerealm"]
CMD ["serve"]
