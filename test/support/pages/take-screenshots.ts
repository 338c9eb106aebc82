// Pictures of all pages, in two widths and two schemes; `npm run screenshots -- FOLDER`.
import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { PageSite } from "../../../src/serve/page/page-site.ts";
import { tarArchive, tarEntry } from "../tar-builder.ts";
import { type SceneImage, sceneOf } from "./page-content.ts";
import { SCENE_IMAGES } from "./scene-images.ts";
import { onVolume, type SceneFaults, sceneRegistry, volumeName } from "./scene-registry.ts";

const HOST = "registry.lan:5000";
const APP = "registry.example/team/app";
const LAST_STEP = "chown -R app:app /srv";
const PAGES = [
  ["index", "/"],
  ["image", `/image/${APP}:1.4.2`],
  ["artifact", "/image/oci.example/charts/app-chart:0.9.1"],
  ["layer", "LAYER"],
  ["compare", `/compare?a=${APP}:1.4.1&b=${APP}:1.4.2`],
  ["compare-bundles", "BUNDLES"],
  ["damage", "/damage"],
  ["report", "/report"],
  ["not-found", `/image/${APP}:1.4.3`],
] as const;

/** Headers of the files say their sizes; a picture needs no more. */
const FILES = tarArchive([
  tarEntry({ name: "srv/", type: "5", patches: { 100: "0000755\0" + "0001751\0" + "0001751\0" } }),
  tarEntry({ name: "srv/.wh..npmrc" }),
  tarEntry({ name: "srv/dist/server.js", body: Buffer.alloc(412 * 1024) }),
  tarEntry({ name: "srv/dist/server.js.map", body: Buffer.alloc(1.6 * 1024 * 1024) }),
  tarEntry({ name: "srv/dist/current", type: "2", linkName: "server.js", patches: { 100: "0000777\0" } }),
  tarEntry({ name: "srv/node_modules/.cache/.wh..wh..opq" }),
  tarEntry({ name: "srv/node_modules/@img/libvips-cpp.so.42", body: Buffer.alloc(15.9 * 1024 * 1024) }),
  tarEntry({ name: "srv/node_modules/better-db/better_db.node", body: Buffer.alloc(2.1 * 1024 * 1024) }),
  tarEntry({
    name: "srv/node_modules/better-db/test.node",
    type: "1",
    linkName: "srv/node_modules/better-db/better_db.node",
  }),
  tarEntry({ name: "srv/node_modules/typescript/lib/typescript.js", body: Buffer.alloc(8.7 * 1024 * 1024) }),
  ...Array.from({ length: 900 }, (_, index) =>
    tarEntry({
      name: `srv/node_modules/date-fns/locale/${String(index).padStart(4, "0")}/index.js`,
      body: Buffer.alloc(180 * 1024 + 64 * index),
    }),
  ),
  tarEntry({ name: "usr/bin/ping", body: Buffer.alloc(88 * 1024), patches: { 100: "0004755\0" } }),
]);

const images: readonly SceneImage[] = SCENE_IMAGES.map(image => ({
  ...image,
  steps: image.steps.map(step =>
    image.repository === APP && image.tag === "1.4.2" && step.by.includes(LAST_STEP) ? { ...step, tar: FILES } : step,
  ),
}));
const scene = sceneOf(images, false);
/** The bundle before: without the newest application, with an image that is gone now. */
const before = sceneOf(
  images.flatMap(image => (image.repository === APP && image.tag === "1.4.2" ? [{ ...image, tag: "1.3.9" }] : [image])),
  false,
);
const idOf = ({ lock }: typeof scene): string => lock.id.slice(7, 19);
const layer = [...scene.blobs].find(([, { kind, bytes }]) => kind === "layer" && bytes?.length === FILES.length)?.[0];
const damagedLayer = scene.lock.blobs.find(
  ({ kind, repositories }) => kind === "layer" && repositories.join() === "docker.io/library/cache",
);
const WHOLE: SceneFaults = { damage: [], missing: [] };
const HURT: SceneFaults = {
  damage:
    damagedLayer === undefined
      ? []
      : [
          {
            digest: damagedLayer.digest,
            range: { start: 4_194_304, end: 8_388_608 },
            path: volumeName(scene, 2),
            found: "4 MiB of it have another digest",
          },
        ],
  missing: onVolume(scene, "mirror.example/geo/tiles-db", 5),
};

const folder = process.argv[2] ?? "screenshots";
await mkdir(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
for (const [state, faults] of [
  ["", WHOLE],
  ["-damaged", HURT],
] as const) {
  const site = new PageSite(sceneRegistry(scene, faults, [before]), {
    isReadOnly: true,
    isTls: false,
    isPrivate: false,
    store: undefined,
  });
  const server = createServer((request, response) => {
    void site.answer(request, HOST, new AbortController().signal).then(
      ({ status, headers, body }) => response.writeHead(status, headers).end(body),
      error => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const [name, path] of PAGES) {
    if (state !== "" && name !== "index" && name !== "damage") continue;
    await page.goto(
      url +
        path
          .replace("LAYER", `/layer/${layer}?in=${APP}:1.4.2`)
          .replace("BUNDLES", `/compare?a=${idOf(before)}&b=${idOf(scene)}`),
    );
    for (const width of [390, 1600]) {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: join(folder, `${name}${state}-${width}-${colorScheme}.png`) });
      }
    }
  }
  server.close();
  server.closeAllConnections();
}
await browser.close();
