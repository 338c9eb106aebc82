// A bundle like that of a real delivery: invented names, and steps and sizes as builds have them.
import type { SceneImage, SceneStep } from "./page-content.ts";

const KIB = 1024;
const MIB = 1024 * 1024;
const BOTH = ["linux/amd64", "linux/arm64/v8"] as const;

const DEBIAN: readonly SceneStep[] = [
  { by: "/bin/sh -c #(nop) ADD rootfs.tar.xz / # debian 12.8", size: 28.2 * MIB },
  { by: '/bin/sh -c #(nop)  CMD ["bash"]' },
];
const ALPINE: readonly SceneStep[] = [
  { by: "ADD alpine-minirootfs-3.21.0.tar.gz / # buildkit", size: 3.5 * MIB },
  { by: 'CMD ["/bin/sh"]' },
];
const NODE: readonly SceneStep[] = [
  ...DEBIAN,
  {
    by: "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends ca-certificates curl netbase tzdata && rm -rf /var/lib/apt/lists/* # buildkit",
    size: 9.4 * MIB,
  },
  { by: "ENV NODE_VERSION=22.11.0" },
  {
    by: `RUN /bin/sh -c ARCH= && dpkgArch="$(dpkg --print-architecture)" && case "\${dpkgArch##*-}" in amd64) ARCH='x64';; arm64) ARCH='arm64';; *) echo "unsupported architecture"; exit 1 ;; esac && curl -fsSLO --compressed "https://dist.example/v$NODE_VERSION/node-v$NODE_VERSION-linux-$ARCH.tar.xz" && tar -xJf "node-v$NODE_VERSION-linux-$ARCH.tar.xz" -C /usr/local --strip-components=1 --no-same-owner && node --version && npm --version # buildkit`,
    size: 48.7 * MIB,
  },
  { by: "COPY docker-entrypoint.sh /usr/local/bin/ # buildkit", size: 389 },
  { by: 'ENTRYPOINT ["docker-entrypoint.sh"]' },
];
const JAVA: readonly SceneStep[] = [
  ...DEBIAN,
  { by: "RUN /bin/sh -c apt-get update && apt-get install -y openjdk-21-jre-headless # buildkit", size: 168 * MIB },
];
const CUDA: readonly SceneStep[] = [
  ...DEBIAN,
  { by: "RUN /bin/sh -c apt-get update && apt-get install -y cuda-runtime-12-6 # buildkit", size: 1.36 * 1024 * MIB },
];

function app(version: string, dist: number, extra: readonly SceneStep[] = []): readonly SceneStep[] {
  return [
    ...NODE,
    { by: "WORKDIR /srv", size: 94 },
    { by: `COPY package.json package-lock.json ./ # buildkit`, size: 41.2 * KIB + version.charCodeAt(4) },
    {
      by: "RUN /bin/sh -c npm ci --omit=dev && npm cache clean --force # buildkit",
      size: 61.8 * MIB + version.charCodeAt(4),
    },
    { by: "COPY dist/ ./dist/ # buildkit", size: dist },
    { by: "ENV NODE_ENV=production PORT=8080" },
    { by: "RUN /bin/sh -c chown -R app:app /srv # buildkit", size: 61.8 * MIB + dist },
    { by: "USER app" },
    { by: "EXPOSE [8080/tcp 9464/tcp]" },
    { by: 'CMD ["node" "dist/server.js"]' },
    ...extra,
  ];
}

function appConfig(revision: string, version: string, env: readonly string[] = []): object {
  return {
    User: "app",
    WorkingDir: "/srv",
    ExposedPorts: { "8080/tcp": {}, "9464/tcp": {} },
    Env: [
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "NODE_VERSION=22.11.0",
      "NODE_ENV=production",
      "PORT=8080",
      ...env,
    ],
    Entrypoint: ["docker-entrypoint.sh"],
    Cmd: ["node", "dist/server.js"],
    Labels: {
      "org.opencontainers.image.licenses": "Apache-2.0 AND MIT",
      "org.opencontainers.image.revision": revision,
      "org.opencontainers.image.source": "https://git.example/team/app",
      "org.opencontainers.image.title": "app",
      "org.opencontainers.image.version": version,
    },
  };
}

function plain(steps: readonly SceneStep[], by: string, size: number): readonly SceneStep[] {
  return [...steps, { by: `RUN /bin/sh -c ${by} # buildkit`, size }];
}

export const SCENE_IMAGES: readonly SceneImage[] = [
  {
    repository: "registry.example/team/app",
    tag: "1.4.2",
    platforms: BOTH,
    leftOut: ["linux/arm/v7"],
    steps: app("1.4.2", 4.1 * MIB, [{ by: "HEALTHCHECK CMD wget -qO- http://127.0.0.1:8080/healthz" }]),
    config: appConfig("9f1c2ab7d04e", "1.4.2"),
    signatures: 2,
    sbom: true,
  },
  {
    repository: "registry.example/team/app",
    tag: "1.4.1",
    platforms: BOTH,
    leftOut: ["linux/arm/v7"],
    steps: app("1.4.1", 3.9 * MIB),
    config: appConfig("51aa02c9e7b1", "1.4.1", ["NODE_OPTIONS=--max-old-space-size=512"]),
    signatures: 2,
    sbom: true,
  },
  {
    repository: "registry.example/team/app-worker",
    tag: "1.4.2",
    platforms: BOTH,
    steps: plain(NODE, "npm ci --omit=dev --workspace worker", 58.9 * MIB),
    signatures: 2,
    sbom: true,
  },
  {
    repository: "registry.example/team/billing",
    tag: "2026.11.3",
    steps: plain(JAVA, "cp billing-2026.11.3.jar /srv/billing.jar", 6.4 * MIB),
    signatures: 1,
  },
  {
    repository: "registry.example/team/billing",
    tag: "2026.10.9",
    steps: plain(JAVA, "cp billing-2026.10.9.jar /srv/billing.jar", 6.3 * MIB),
    signatures: 1,
  },
  {
    repository: "registry.example/team/gateway",
    tag: "3.0.0-rc.2",
    platforms: BOTH,
    steps: plain(ALPINE, "apk add --no-cache gateway=3.0.0-rc.2", 14.3 * MIB),
    signatures: 1,
    sbom: true,
  },
  {
    repository: "registry.example/ml/inference",
    tag: "0.9.4-gpu",
    steps: plain(CUDA, "pip install --no-cache-dir -r requirements-gpu.txt", 2.8 * 1024 * MIB),
  },
  {
    repository: "registry.example/ml/inference",
    tag: "0.9.4",
    platforms: BOTH,
    steps: plain(DEBIAN, "pip install --no-cache-dir -r requirements.txt", 980 * MIB),
  },
  {
    repository: "registry.example/tools/backup",
    tag: "7.2",
    platforms: BOTH,
    steps: plain(ALPINE, "apk add --no-cache backup restic", 11.6 * MIB),
    signatures: 1,
  },
  {
    repository: "mirror.example/geo/tiles-db",
    tag: "16.4-3",
    steps: plain(DEBIAN, "apt-get install -y postgresql-16-postgis-3", 762 * MIB),
    lookup: "refused",
  },
  {
    repository: "mirror.example/mesh/proxy",
    tag: "1.31.2",
    platforms: [...BOTH, "linux/arm/v7"],
    steps: plain(DEBIAN, "cp proxy /usr/local/bin/", 37.6 * MIB),
    signatures: 3,
    sbom: true,
  },
  {
    repository: "docker.io/library/web",
    tag: "1.27.3",
    platforms: [...BOTH, "linux/arm/v7", "linux/386", "linux/ppc64le"],
    leftOut: ["linux/s390x", "linux/mips64le"],
    steps: plain(DEBIAN, "apt-get install -y web=1.27.3-1", 41.4 * MIB),
    signatures: 1,
  },
  {
    repository: "docker.io/library/web",
    tag: "1.27.3-alpine",
    platforms: BOTH,
    steps: plain(ALPINE, "apk add --no-cache web=1.27.3-r1", 13.8 * MIB),
    signatures: 1,
  },
  {
    repository: "docker.io/library/cache",
    tag: "7.4.1",
    platforms: BOTH,
    steps: plain(DEBIAN, "make install", 12.5 * MIB),
    signatures: 1,
  },
  {
    repository: "docker.io/library/queue",
    tag: "4.0.3-management",
    platforms: BOTH,
    steps: plain(DEBIAN, "tar -xf queue-4.0.3.tar.xz -C /opt", 80.2 * MIB),
  },
  { repository: "docker.io/library/base", tag: "12.8", platforms: BOTH, steps: DEBIAN },
  {
    repository: "oci.example/charts/app-chart",
    tag: "0.9.1",
    steps: [{ by: "chart", size: 38.4 * KIB }],
    artifactType: "application/vnd.cncf.helm.config.v1+json",
    signatures: 1,
  },
  {
    repository: "oci.example/ops/log-shipper",
    tag: "3.2.0",
    platforms: [...BOTH, "windows/amd64"],
    steps: plain(ALPINE, "apk add --no-cache log-shipper", 20.1 * MIB),
    signatures: 2,
    sbom: true,
  },
];
