import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningRegistry, serveRegistry } from "../../src/serve/server.ts";
import { HOSTILE_IMAGES } from "../support/pages/hostile-images.ts";
import { sceneOf } from "../support/pages/page-content.ts";
import { sceneArchive, sceneDelta, sceneVolumes } from "../support/pages/scene-archive.ts";
import { SCENE_IMAGES } from "../support/pages/scene-images.ts";
import { startBrowser, Tab } from "./peers/browser.ts";
import { describeWith } from "./peers/describe-with.ts";
import { createTempFolder, type TempFolder } from "./peers/temp-folder.ts";

const APP = "registry.example/team/app";
const COMPARED = `/compare?a=${APP}:1.4.1&b=${APP}:1.4.2`;
/** Besides 390 and 1,600: the narrowest, and the narrowest with tables. */
const WIDTHS = [320, 768];
/** What depends on colours and widths; the other rules see the same page. */
const RULES_OF_LOOK = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"];

type Source = "whole" | "damaged" | "two" | "empty" | "hostile";

/** Name and path of each page and state, by what is served. */
const PAGES: Readonly<Record<Source, readonly (readonly [name: string, path: string])[]>> = {
  whole: [
    ["index", "/"],
    ["index, found", "/?q=arm&sort=size"],
    ["index, past the end", "/?page=99"],
    ["image", `/image/${APP}:1.4.2`],
    ["artifact", "/image/oci.example/charts/app-chart:0.9.1"],
    ["image, unknown", `/image/${APP}:1.4.3`],
    ["layer", `LAYER?in=${APP}:1.4.2`],
    ["layer, nothing found", `LAYER?in=${APP}:1.4.2&q=nothing`],
    ["compare", COMPARED],
    ["compare, nothing chosen", "/compare"],
    ["no damage", "/damage"],
    ["report", "/report"],
    ["no such page", "/no-such-page"],
  ],
  damaged: [
    ["index, damaged", "/"],
    ["image, damaged", `/image/${APP}:1.4.2`],
    ["image, on a missing volume", "/image/registry.example/ml/inference:0.9.4-gpu"],
    ["layer, damaged", `LAYER?in=${APP}:1.4.2`],
    ["damage", "/damage"],
  ],
  two: [
    ["index, delta and base", "/"],
    ["compare, bundles", "/compare?a=base.tar&b=delta.tar"],
    ["compare, bundles to choose", "/compare"],
    ["compare, no such bundle", "/compare?a=base.tar&b=0123456789ab"],
  ],
  empty: [["empty", "/"]],
  hostile: [
    ["index, hostile", "/"],
    ["image, hostile", "/image/evil.example/a:1"],
    ["layer, hostile", "LAYER?in=evil.example/a:1"],
    ["compare, hostile", "/compare?a=evil.example/a:1&b=evil.example/a:2"],
    ["hostile query", `/?q=${encodeURIComponent('"><script>alert(1)</script>\u202e')}`],
    ["report, hostile", "/report"],
  ],
};

describeWith(["chromium"], "pages in Chromium", () => {
  let folder: TempFolder;
  let browser: Browser;
  let context: BrowserContext;
  let tab: Tab;
  const servers = new Map<Source, RunningRegistry>();
  const layers = new Map<Source, string>();

  beforeAll(async () => {
    folder = await createTempFolder();
    const scene = sceneOf(SCENE_IMAGES, true);
    const file = async (name: string, bytes: Uint8Array): Promise<string> => {
      await writeFile(join(folder.path, name), bytes);
      return join(folder.path, name);
    };
    const onSecond = scene.lock.blobs.flatMap(({ digest, kind, repositories }) =>
      kind === "layer" && repositories.includes("registry.example/ml/inference") ? [[digest, 2] as const] : [],
    );
    const [first = new Uint8Array()] = sceneVolumes(scene, 2, new Map(onSecond));
    const app = scene.lock.blobs.find(({ kind, repositories }) => kind === "layer" && repositories.join() === APP);
    const bytes = app === undefined ? undefined : scene.blobs.get(app.digest)?.bytes;
    const damaged = Buffer.from(first);
    damaged.writeUInt8(0xff ^ damaged.readUInt8(damaged.indexOf(bytes ?? "") + 12), damaged.indexOf(bytes ?? "") + 12);
    const hostile = sceneOf(HOSTILE_IMAGES, true);
    servers.set("whole", await serveRegistry({ archives: [await file("whole.tar", sceneArchive(scene))] }));
    servers.set("damaged", await serveRegistry({ archives: [await file("damaged.tar", damaged)] }));
    servers.set("hostile", await serveRegistry({ archives: [await file("hostile.tar", sceneArchive(hostile))] }));
    const base = sceneOf(
      SCENE_IMAGES.filter(({ repository, tag }) => repository !== APP || tag !== "1.4.2"),
      true,
    );
    const delta = sceneOf(
      SCENE_IMAGES.filter(({ repository, tag }) => repository !== APP || tag !== "1.4.1"),
      true,
    );
    const two = [await file("delta.tar", sceneDelta(delta, base)), await file("base.tar", sceneArchive(base))];
    servers.set("two", await serveRegistry({ archives: two }));
    servers.set("empty", await serveRegistry({ store: join(folder.path, "store") }));
    layers.set("whole", app?.digest ?? "").set("damaged", app?.digest ?? "");
    layers.set("hostile", hostile.lock.blobs.find(({ kind }) => kind === "layer")?.digest ?? "");
    browser = await startBrowser();
    context = await browser.newContext({ reducedMotion: "reduce" });
    tab = await Tab.open(context);
  });
  afterAll(async () => {
    await browser?.close();
    for (const server of servers.values()) await server.close();
    await folder?.remove();
  });

  function url(source: Source, path: string): string {
    return `${servers.get(source)?.url}${path.replace("LAYER", `/layer/${layers.get(source)}`)}`;
  }

  async function show(scheme: "light" | "dark", width: number): Promise<void> {
    await tab.page.emulateMedia({ colorScheme: scheme });
    await tab.page.setViewportSize({ width, height: 900 });
  }

  for (const source of Object.keys(PAGES) as Source[]) {
    describe(source, () => {
      test.each(PAGES[source])(
        "%s: no fault for people who read in another way, no message, no request, no sideways scroll",
        async (_, path) => {
          await show("light", 390);
          const { status, messages, requests } = await tab.go(url(source, path));
          // Chromium reports the status of the page itself.
          expect(status < 400 ? messages : messages.slice(1)).toEqual([]);
          expect(requests).toEqual([]);
          expect(await tab.count("script, img, iframe, object, embed, link, [style], [onerror], [onload]")).toBe(0);
          expect(await tab.violations()).toEqual([]);
          expect(await tab.overflow()).toBe(0);
          await show("dark", 1600);
          expect(await tab.violations(RULES_OF_LOOK)).toEqual([]);
          expect(await tab.overflow()).toBe(0);
          for (const width of WIDTHS) {
            await tab.page.setViewportSize({ width, height: 900 });
            expect([width, await tab.overflow()]).toEqual([width, 0]);
          }
          expect(tab.seen().messages.slice(status < 400 ? 0 : 1)).toEqual([]);
        },
      );
    });
  }

  test.each([
    ["index", "/"],
    ["image", `/image/${APP}:1.4.2`],
    ["layer", `LAYER?in=${APP}:1.4.2`],
    ["compare", COMPARED],
  ])("every control of the %s is reached with the tab key, in the order of the page", async (_, path) => {
    await show("light", 1600);
    await tab.go(url("whole", path));
    const { controls, stops } = await tab.tabStops();
    expect(controls.length).toBeGreaterThan(5);
    expect(stops).toEqual(controls);
  });

  test("what is put into a page after all does not run, and is not loaded", async () => {
    await show("light", 1600);
    await tab.go(url("whole", "/"));
    await tab.page.evaluate(`
      document.body.insertAdjacentHTML("beforeend", '<img src="/v2/" onerror="document.title=1"><p style="color:red" id="p">x</p><style>#p{display:none}</style>');
      const script = document.createElement("script");
      script.textContent = "document.title = 2";
      document.body.append(script);
      const other = document.createElement("script");
      other.src = "/v2/";
      document.body.append(other);
    `);
    expect(await tab.page.title()).toMatch(/^Bundle [0-9a-f]{12} · imgpack$/);
    expect(await tab.page.evaluate("getComputedStyle(document.getElementById('p')).display")).toBe("block");
    expect(await tab.page.evaluate("getComputedStyle(document.getElementById('p')).color")).not.toBe("rgb(255, 0, 0)");
    const { messages } = tab.seen();
    for (const directive of ["img-src", "style-src", "script-src"]) {
      expect(messages.join("\n")).toContain(directive);
    }
  });
});
