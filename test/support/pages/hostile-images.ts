// Images whose every text tries to be something else.
import { gnuLong, paxEntry, tarArchive, tarEntry } from "../tar-builder.ts";
import type { SceneImage } from "./page-content.ts";

const MARKUP = `"'><script>document.title="ran"</script><img src=/v2/ onerror=alert(1)><style>*{display:none}</style>`;
const BIDI = "\u202Egnp.exe\u2066\u200B\u0007\u001b[2J";
const TEXT = `${MARKUP}${BIDI}`;
const MEGABYTE = "x".repeat(1_000_000);

function config(seed: string): object {
  return {
    User: TEXT,
    WorkingDir: TEXT,
    Env: [`${TEXT}=${TEXT}`, "EMPTY=", "NOTHING", `LONG=${MEGABYTE}`, `SEED=${seed}`],
    Entrypoint: [TEXT, MEGABYTE],
    Cmd: [TEXT, ""],
    ExposedPorts: { [TEXT]: {} },
    Volumes: { [TEXT]: {} },
    Labels: {
      [TEXT]: TEXT,
      long: MEGABYTE,
      "org.opencontainers.image.licenses": TEXT,
      "org.opencontainers.image.source": "javascript:alert(1)",
      ...Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`label ${index}`, `${seed} ${index}`])),
    },
  };
}

const FILES = tarArchive([
  tarEntry({ name: TEXT.slice(0, 100), body: "x" }),
  tarEntry({ name: "set", body: "x", patches: { 100: "0006755\0" } }),
  paxEntry({ path: `${TEXT}/${"y".repeat(6000)}` }),
  tarEntry({ name: "p" }),
  gnuLong(TEXT, "K"),
  tarEntry({ name: "link", type: "2", linkName: "x" }),
  tarEntry({ name: `.wh.${TEXT.slice(0, 90)}` }),
  tarEntry({ name: "a/.wh..wh..opq" }),
]);

export const HOSTILE_IMAGES: readonly SceneImage[] = ["1", "2"].map(tag => ({
  repository: "evil.example/a",
  tag,
  platforms: ["linux/amd64", `<b>os/${MARKUP}/v${BIDI}`],
  leftOut: ["linux/<i>left</i>"],
  steps: [
    { by: `RUN /bin/sh -c ${TEXT} ${MEGABYTE} # buildkit`, size: 1, tar: FILES },
    { by: `ENV ${TEXT}${tag}` },
    { by: `COPY ${TEXT}${tag}`, size: 2 },
  ],
  config: config(tag),
  annotations: { [TEXT]: TEXT, long: MEGABYTE },
  signatures: 1,
}));
