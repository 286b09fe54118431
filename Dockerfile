FROM node:22-bookworm-slim
# What looks into images and unpacks them, reaches other machines, and turns hosts off.
RUN apt-get update && apt-get install -y --no-install-recommends qemu-utils bzip2 xz-utils zstd openssh-client ipmitool && rm -rf /var/lib/apt/lists/*
WORKDIR /arcus
COPY . .
# Not `npm ci`: a lock file made where a registry lacks some platforms' binaries is refused by it. The build installs what it
# needs and leaves the programs of tests and checks out.
RUN node runtime/bootstrap.mjs compile && mkdir /var/lib/arcus && chown node:node /var/lib/arcus
ENV ARCUS_HOME=/var/lib/arcus
VOLUME /var/lib/arcus
USER node
ENTRYPOINT ["node", "--enable-source-maps"]
CMD ["dist/api/main.js"]
