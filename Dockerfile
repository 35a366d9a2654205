FROM node:22-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY backends backends
COPY src src
RUN npm run build && chmod 755 dist/src/cli/main.js

FROM node:22-bookworm-slim AS dependencies
WORKDIR /build
COPY package.json package-lock.json ./
# What is compiled comes ready made in the packages: none needs its install script.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:22-bookworm-slim
ENV NODE_ENV=production \
    DFSTORE_CONFIG=/etc/dfstore/dfstore.yaml
WORKDIR /opt/dfstore
COPY --from=dependencies /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json ./
COPY deploy/image/dfstore.yaml /etc/dfstore/dfstore.yaml
RUN ln -s /opt/dfstore/dist/src/cli/main.js /usr/local/bin/dfstore \
 && install --directory --owner=node --group=node /var/lib/dfstore
USER node
VOLUME /var/lib/dfstore
# S3; health, status and metrics (inside only, until the configuration says otherwise); other gateways.
EXPOSE 9000 9001 9002
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9001/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The gateway obeys SIGTERM itself, and starts no processes that somebody would have to wait for.
ENTRYPOINT ["dfstore"]
CMD ["serve"]
