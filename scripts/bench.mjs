// @ts-check
// Compares the built imgpack with the peers it finds, in one run, and prints a table per scenario.
import { existsSync } from "node:fs";
import { copyFile, link, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { expectations } from "./bench/expectations.mjs";
import { gzipSection } from "./bench/gzip.mjs";
import { introduction } from "./bench/introduction.mjs";
import { measureRows } from "./bench/measure.mjs";
import { writeRandomImage } from "./bench/random-image.mjs";
import { createRegistry } from "./bench/registry.mjs";
import { document, section, summary } from "./bench/report.mjs";
import { scenarios } from "./bench/scenarios.mjs";
import { findTools } from "./bench/tools.mjs";
import { createWorkspace } from "./bench/workspace.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const bin = join(root, "dist/bin.cjs");
const groups = [...new Set(scenarios.map(({ group }) => group)), "gzip"];

const usage = `usage: npm run bench -- [options]
  --image FILE          plain docker archive to move; without it only what needs none is measured
  --large FILE          one about four times as large, for the memory table
  --executable FILE     the single executable, measured next to imgpack on Node
  --runs 3              timed runs of each tool (hello and start have their own number)
  --only LIST           of ${groups.join(",")}
  --thorough            also what takes half an hour: all of the layers of 100 GB
  --out FILE            write the tables there too
  --peer-prefix WORDS   command before a peer's name, such as "chroot DIR"; peers not found behind it come from PATH
  --peer-share DIR:SEEN folder of this machine that those peers see as SEEN
As root, skopeo's blob-info cache is removed.`;

/** @param {import("./bench/workspace.mjs").Workspace} workspace @param {string} name @param {string} file */
async function bringIn(workspace, name, file) {
  if (!existsSync(file))
    throw new Error(`Cannot read archive "${file}": no such file, expected a plain docker archive`);
  const path = join(workspace.folder, `${name}.tar`);
  // A link costs nothing, but cannot leave its file system.
  await link(file, path).catch(() => copyFile(file, path));
  return path;
}

/**
 * @typedef {object} Options
 * @property {string | undefined} image
 * @property {string | undefined} large
 * @property {string | undefined} executable
 * @property {number} runs
 * @property {string[]} only
 * @property {boolean} thorough
 * @property {string | undefined} out
 * @property {string[]} prefix
 * @property {{ host: string, peer: string } | undefined} share
 */

/** @param {Options} options */
async function bench(options) {
  const { image, large, executable, runs, only, thorough, out, prefix, share } = options;
  const workspace = await createWorkspace(share?.host);
  try {
    const { tools, missing } = await findTools(workspace, bin, { prefix, share, executable });
    const archives = {
      hello: await bringIn(workspace, "hello", join(root, "fixtures/docker20-hello.tar")),
      image: image === undefined ? "" : await bringIn(workspace, "image", image),
      large: large === undefined ? "" : await bringIn(workspace, "large", large),
      random: join(workspace.folder, "random.tar"),
      randomLarge: join(workspace.folder, "random-large.tar"),
    };
    if (only.includes("pull-random") || only.includes("tls"))
      await writeRandomImage(archives.random, { layers: 4, layerMiB: 100 });
    if (only.includes("pull-random")) await writeRandomImage(archives.randomLarge, { layers: 12, layerMiB: 170 });
    const registry = createRegistry(workspace);
    /** @type {import("./bench/rows.mjs").Bench["state"]} */
    const state = { isPrimed: false };
    /** @type {Map<string, import("./bench/measure.mjs").Results>} */
    const all = new Map();
    const sections = [];
    const skipped = [];
    for (const scenario of scenarios) {
      if (!only.includes(scenario.group) || (scenario.isThorough === true && !thorough)) continue;
      const lacking = scenario.needs.filter(name => archives[name] === "").map(name => `--${name}`);
      if (lacking.length > 0) {
        skipped.push(`${scenario.id}, without ${lacking.join(" and ")}`);
        continue;
      }
      console.error(`Measuring: ${scenario.title}`);
      const stops = /** @type {(() => Promise<void>)[]} */ ([]);
      try {
        const rows = await scenario.rows({ workspace, tools, registry, archives, bin, state, stops });
        const plan = { runs: scenario.runs ?? runs, isShort: scenario.isShort };
        all.set(
          scenario.id,
          await measureRows(
            workspace,
            rows,
            { ...plan, registry: scenario.isCounted ? registry : undefined },
            (label, error) => {
              console.error(error instanceof Error ? error.message : error);
              skipped.push(`${label} in ${scenario.id}: it failed`);
            },
          ),
        );
      } finally {
        for (const stop of stops) await stop();
      }
      sections.push(section(scenario, all));
      console.log(`${sections.at(-1)}\n`);
    }
    if (only.includes("gzip")) {
      if (image === undefined) skipped.push("gzip, without --image");
      else {
        console.error("Measuring: gzip");
        sections.push(await gzipSection(archives.image));
        console.log(`${sections.at(-1)}\n`);
      }
    }
    const head = introduction({
      command: shownCommand(options),
      tools: tools.values(),
      missing,
      archives: await Promise.all(
        [image, large].flatMap(file => (file === undefined ? [] : [describe(file, file === large)])),
      ),
      skipped,
      measured: scenarios.filter(({ id }) => all.has(id)),
      all,
    });
    console.log(head);
    if (out !== undefined)
      await writeFile(out, document([head, summary(scenarios, all), expectations(all), ...sections]));
  } finally {
    workspace.close();
  }
}

/** @param {string} file @param {boolean} isLarge */
async function describe(file, isLarge) {
  const { size } = await stat(file);
  return `${isLarge ? "Large image" : "Image"}: ${basename(file)}, ${(size / 1e6).toFixed(0)} MB`;
}

/** The commands that repeat this run, with names instead of this machine's folders. @param {Options} options */
function shownCommand({ image, large, executable, runs, only, thorough, prefix, share }) {
  const lines = ["npm run build"];
  const words = ["npm run bench --"];
  if (image !== undefined) {
    lines.push("node scripts/bench-image.mjs IMAGE");
    words.push("--image IMAGE/bench.tar");
  }
  if (large !== undefined) {
    lines.push("node scripts/bench-image.mjs LARGE --times 4");
    words.push("--large LARGE/bench.tar");
  }
  if (executable !== undefined) {
    lines.push("npm run executable -- --target linux-x64 --out TOOLS");
    words.push("--executable TOOLS/imgpack-linux-x64");
  }
  words.push(`--runs ${runs}`);
  if (only.length < groups.length) words.push(`--only ${only.join(",")}`);
  if (thorough) words.push("--thorough");
  if (prefix.length > 0) words.push(`--peer-prefix "${prefix[0]} DIR"`);
  if (share !== undefined) words.push(`--peer-share SHARE:${share.peer}`);
  return [...lines, words.join(" ")].join("\n");
}

/** @returns {Options | undefined} undefined for wrong usage */
function readOptions() {
  const { values } = parseArgs({
    options: {
      image: { type: "string" },
      large: { type: "string" },
      executable: { type: "string" },
      runs: { type: "string", default: "3" },
      only: { type: "string", default: groups.join(",") },
      thorough: { type: "boolean", default: false },
      out: { type: "string" },
      "peer-prefix": { type: "string", default: "" },
      "peer-share": { type: "string" },
    },
  });
  const runs = Number(values.runs);
  const only = values.only.split(",");
  const share = values["peer-share"]?.split(":");
  if (!Number.isInteger(runs) || runs < 1 || !only.every(name => groups.includes(name))) return undefined;
  if (share !== undefined && share.length !== 2) return undefined;
  const [host = "", peer = ""] = share ?? [];
  return {
    image: values.image,
    large: values.large,
    executable: values.executable,
    out: values.out,
    runs,
    only,
    thorough: values.thorough,
    prefix: values["peer-prefix"].split(" ").filter(word => word !== ""),
    share: share === undefined ? undefined : { host: resolve(host), peer },
  };
}

let options;
try {
  options = readOptions();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
}
if (options === undefined) {
  console.error(usage);
  process.exitCode = 2;
} else {
  try {
    await bench(options);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
