import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { callSpreads } from "./support/call-spreads.ts";
import { FLOORS, type Floor, MAX_FILES, MAX_LINES, ROOMS } from "./support/floors.ts";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const SOURCE = join(ROOT, "src");

interface Import {
  /** Path below src/, or a package name. */
  readonly target: string;
  readonly isTypeOnly: boolean;
  readonly isDynamic: boolean;
}

const STATIC_IMPORT = /^\s*(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
const DYNAMIC_IMPORT = /\bimport\("([^"]+)"\)|new URL\("([^"]+)", import\.meta\.url\)/g;

const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter(name => /\.m?ts$|\.mjs$/.test(name));
const texts = new Map(files.map(file => [file, readFileSync(join(SOURCE, file), "utf8")]));

function importsOf(file: string, text: string): readonly Import[] {
  const resolve = (specifier: string): string =>
    specifier.startsWith(".") ? relative(SOURCE, join(SOURCE, dirname(file), specifier)) : specifier;
  const statics = [...text.matchAll(STATIC_IMPORT)].map(match => ({
    target: resolve(match[2] ?? ""),
    isTypeOnly: match[1] !== undefined,
    isDynamic: false,
  }));
  const dynamics = [...text.matchAll(DYNAMIC_IMPORT)].map(match => ({
    target: resolve(match[1] ?? match[2] ?? ""),
    isTypeOnly: false,
    isDynamic: true,
  }));
  return [...statics, ...dynamics].filter(({ target }) => !target.startsWith("node:"));
}

/** What of node:fs changes nothing, and whose errors the callers explain. */
const HARMLESS: ReadonlySet<string> = new Set(
  "constants createReadStream Dirent FileHandle fstatSync readFileSync Stats".split(" "),
);
/** Looks before anything is loaded, with calls that wait; its errors only mean that there is no code cache. */
const EARLY = "launch/";
const EARLY_LOOKS: ReadonlySet<string> = new Set("closeSync lstatSync openSync realpathSync".split(" "));
const FS_IMPORT = /^\s*import\s+(?:type\s)?([^"';]*?)\s+from\s+"(?:node:)?fs(?:\/promises)?"/gm;
const LOOKS_IMPORT = /^\s*import\s+\{([^}]*)\}\s+from\s+"[./]+(?:util\/)?read-disk\.ts"/gm;
const CHANGING_CALL =
  /\bO_(?:WRONLY|RDWR|CREAT|APPEND|TRUNC)\b|\bopen\([^()]*,\s*"(?!r")[^"]*"|\b\w*(?:[fF]ile|[hH]andle)\.write\(|\.(?:writev|writeFile|appendFile|truncate|sync|datasync|chmod|chown|utimes|createWriteStream)\(/g;
/** Every change of a file passes the hook in the first one; both explain the errors of the system. */
const DISK: ReadonlySet<string> = new Set(["util/disk.ts", "util/read-disk.ts"]);

/** What in the given sources passes by the hook, or by the words for errors of the system. */
function callsPastDisk(sources: ReadonlyMap<string, string>): readonly string[] {
  const found: string[] = [];
  for (const [file, text] of sources) {
    if (DISK.has(file)) continue;
    if (/(?:\bimport|\brequire|getBuiltinModule)\("(?:node:)?fs(?:\/promises)?"/.test(text))
      found.push(`${file}: loads node:fs at run time`);
    const imported = (pattern: RegExp): readonly string[] =>
      [...text.matchAll(pattern)]
        .flatMap(([, clause = ""]) => clause.replace(/^\{|\}$/g, "").split(","))
        .map(name => name.trim().replace(/^type /, ""))
        .filter(name => name !== "");
    const ofNode = imported(FS_IMPORT);
    for (const name of ofNode) {
      if (HARMLESS.has(name) || (file.startsWith(EARLY) && EARLY_LOOKS.has(name))) continue;
      found.push(`${file}: imports ${name} of node:fs`);
    }
    // An open file can be written to by whoever has it.
    if (![...ofNode, ...imported(LOOKS_IMPORT)].some(name => /^(?:open|openDescriptor|FileHandle)$/.test(name)))
      continue;
    for (const [call] of text.matchAll(CHANGING_CALL)) found.push(`${file}: uses ${call} beside an open file`);
  }
  return found;
}

function floorOf(file: string): Floor | undefined {
  return FLOORS.find(({ name }) => file === name || file.startsWith(`${name}/`));
}

/** The longest name of ROOMS that covers the file; a folder covers its own files, not those of its sub-folders. */
function roomOf(file: string): string | undefined {
  return [file, dirname(file)].find(name => ROOMS[name] !== undefined);
}

/** What in the given sources breaks the table of rooms. */
function roomViolations(sources: ReadonlyMap<string, string>): readonly string[] {
  const found: string[] = [];
  for (const [file, text] of sources) {
    const room = roomOf(file);
    if (room === undefined && dirname(file).includes("/")) found.push(`${file}: in no room`);
    for (const { target } of importsOf(file, text)) {
      if (floorOf(target) === undefined || floorOf(target) !== floorOf(file)) continue;
      const other = roomOf(target) ?? dirname(target);
      if (other === (room ?? dirname(file))) continue;
      // A floor's own files need no row while nothing of their floor is forbidden to them.
      if (room === undefined || !ROOMS[room]?.includes(other))
        found.push(`${file}: ${room ?? dirname(file)} may not import ${target}`);
    }
  }
  for (const folder of new Set([...sources.keys()].map(dirname))) {
    const held = [...sources.keys()].filter(file => dirname(file) === folder).length;
    if (held > MAX_FILES) found.push(`${folder}: ${held} files, at most ${MAX_FILES}`);
  }
  return found;
}

/** Rooms that may import themselves by way of others. */
function roomCycles(rooms: Readonly<Record<string, readonly string[]>>): readonly string[] {
  const reached = (from: string, seen = new Set<string>()): Set<string> => {
    for (const next of rooms[from] ?? []) if (!seen.has(next)) reached(next, seen.add(next));
    return seen;
  };
  return Object.keys(rooms).filter(room => reached(room).has(room));
}

/** The parser of YAML takes as long to load as a small push, so that only an input in YAML loads it. */
function isYaml(file: string): boolean {
  return file.startsWith("bundle/list/yaml/");
}

/** What in the given sources breaks the table of floors. */
function violations(sources: ReadonlyMap<string, string>): readonly string[] {
  const found: string[] = [];
  for (const [file, text] of sources) {
    const floor = floorOf(file);
    if (floor === undefined) {
      found.push(`${file}: on no floor`);
      continue;
    }
    const lines = text.split("\n").length - 1;
    if (lines > MAX_LINES) found.push(`${file}: ${lines} lines, at most ${MAX_LINES}`);
    for (const { target, isTypeOnly, isDynamic } of importsOf(file, text)) {
      if (builtinModules.includes(target)) found.push(`${file}: "${target}" without node:`);
      else if (!/\.m?[tj]s$/.test(target)) {
        const owner = FLOORS.find(({ packages }) => packages.includes(target));
        if (owner?.name !== floor.name)
          found.push(`${file}: package ${target} belongs to ${owner?.name ?? "no floor"}`);
      } else if (floorOf(target) !== floor) {
        const isAllowed = floor.imports.some(name => target === name || target.startsWith(`${name}/`));
        if (!isAllowed) found.push(`${file}: ${floor.name} may not import ${target}`);
        // A command loads its own verb, and only when it runs.
        if (isYaml(target) && !isTypeOnly && !isDynamic) found.push(`${file}: loads ${target} at start-up`);
        if (floor.name === "cli" && target === "index.ts" && !isTypeOnly) found.push(`${file}: loads all of ${target}`);
        if (floor.name === "cli" && /^(?:verbs|serve)\//.test(target) && !isDynamic)
          found.push(`${file}: loads ${target} at start-up`);
      }
    }
  }
  return found;
}

/** Files that reach themselves by static imports of code or types. */
function cycles(sources: ReadonlyMap<string, string>): readonly string[] {
  const edges = new Map(
    [...sources].map(([file, text]) => [
      file,
      importsOf(file, text)
        .filter(({ isDynamic }) => !isDynamic)
        .map(({ target }) => target),
    ]),
  );
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) {
      found.push([...trail.slice(trail.indexOf(file)), file].join(" → "));
      return;
    }
    if (done.has(file)) return;
    for (const next of edges.get(file) ?? []) walk(next, [...trail, file]);
    done.add(file);
  };
  for (const file of edges.keys()) walk(file, []);
  return found;
}

describe("architecture", () => {
  test("imports go down only, packages stay on their floor, files stay short", () => {
    expect(texts.size).toBeGreaterThan(50);
    expect(violations(texts)).toEqual([]);
  });

  test("rooms import only what their row says, and folders stay small", () => {
    expect(roomViolations(texts)).toEqual([]);
    expect(roomCycles(ROOMS)).toEqual([]);
    const rooms = new Set([...texts.keys()].map(roomOf));
    expect(Object.keys(ROOMS).filter(room => !rooms.has(room))).toEqual([]);
  });

  // errors.ts redacts its messages, and util/redact.ts imports nothing: the one exception is no cycle of files.
  test("no file imports itself by way of others", () => {
    expect(cycles(texts)).toEqual([]);
  });

  test("a planted violation of each kind is found", () => {
    const planted = new Map([
      [
        "oci/planted.ts",
        'import { x } from "../archive/y.ts";\nimport { array } from "valibot";\nimport fs from "fs";\n',
      ],
      ["tar/long.ts", "\n".repeat(MAX_LINES + 1)],
      ["cli/eager.ts", 'import { push } from "../verbs/push/push.ts";\n'],
      ["verbs/yaml.ts", 'import { parseYaml } from "../bundle/list/yaml/parse-yaml.ts";\n'],
      ["cli/greedy.ts", 'const { push } = await import("../index.ts");\n'],
      ["util/extra.ts", 'import { ensureDir } from "fs-extra/esm";\n'],
      ["helpers/x.ts", "export {};\n"],
    ]);
    expect(violations(planted)).toEqual([
      "oci/planted.ts: oci may not import archive/y.ts",
      "oci/planted.ts: package valibot belongs to util",
      'oci/planted.ts: "fs" without node:',
      `tar/long.ts: ${MAX_LINES + 1} lines, at most ${MAX_LINES}`,
      "cli/eager.ts: loads verbs/push/push.ts at start-up",
      "verbs/yaml.ts: loads bundle/list/yaml/parse-yaml.ts at start-up",
      "cli/greedy.ts: loads all of index.ts",
      "util/extra.ts: package fs-extra/esm belongs to no floor",
      "helpers/x.ts: on no floor",
    ]);
    expect(
      roomViolations(
        new Map([
          ["registry/http/planted.ts", 'import { upload } from "../upload/upload.ts";\n'],
          ["registry/http/origin.ts", 'import { originOf } from "../origin/origin.ts";\n'],
          ["registry/attic/planted.ts", "export {};\n"],
          ["oci/planted.ts", 'import { x } from "./legacy/x.ts";\n'],
          ...Array.from({ length: MAX_FILES + 1 }, (_, index) => [`tar/file-${index}.ts`, "\n"] as const),
        ]),
      ),
    ).toEqual([
      "registry/http/planted.ts: registry/http may not import registry/upload/upload.ts",
      "registry/attic/planted.ts: in no room",
      "oci/planted.ts: oci may not import oci/legacy/x.ts",
      `tar: ${MAX_FILES + 1} files, at most ${MAX_FILES}`,
    ]);
    expect(roomCycles({ a: ["b"], b: ["c"], c: ["b"], d: ["a"] })).toEqual(["b", "c"]);
    const ring = new Map([
      ["oci/a.ts", 'import { b } from "./b.ts";\n'],
      ["oci/b.ts", 'import type { a } from "./a.ts";\n'],
    ]);
    expect(cycles(ring)).toEqual(["oci/a.ts → oci/b.ts → oci/a.ts"]);
  });

  test("every change of a file is made in util/disk.ts, through the hook, and every look in util/read-disk.ts", () => {
    expect(callsPastDisk(texts)).toEqual([]);
    const planted = new Map([
      ["archive/a.ts", 'import { readFile, rename as move, type Stats } from "node:fs/promises";\n'],
      ["archive/b.ts", 'import fs from "node:fs";\nimport * as disk from "node:fs/promises";\n'],
      ["archive/c.ts", 'const { rm } = await import("node:fs/promises");\n'],
      [
        "archive/d.ts",
        'import { open } from "../util/read-disk.ts";\nconst file = await open(path, "wx");\nfile.datasync();\n',
      ],
      [
        "archive/e.ts",
        'import { constants } from "node:fs";\nimport { open } from "../util/read-disk.ts";\nawait open(path, constants.O_RDWR);\n',
      ],
      ["archive/f.ts", 'import type { FileHandle } from "node:fs/promises";\nawait file.write(bytes);\n'],
      [
        "archive/g.ts",
        'import { constants } from "node:fs";\nimport { open } from "../util/read-disk.ts";\nawait open(path, constants.O_RDONLY);\n',
      ],
      [
        "archive/h.ts",
        'import { createFile } from "../util/disk.ts";\nawait (await createFile(path, 0o600)).write(bytes);\n',
      ],
      ["util/disk.ts", 'import { rename } from "node:fs/promises";\n'],
    ]);
    expect(callsPastDisk(planted)).toEqual([
      "archive/a.ts: imports readFile of node:fs",
      "archive/a.ts: imports rename as move of node:fs",
      "archive/b.ts: imports fs of node:fs",
      "archive/b.ts: imports * as disk of node:fs",
      "archive/c.ts: loads node:fs at run time",
      'archive/d.ts: uses open(path, "wx" beside an open file',
      "archive/d.ts: uses .datasync( beside an open file",
      "archive/e.ts: uses O_RDWR beside an open file",
      "archive/f.ts: uses file.write( beside an open file",
    ]);
  });

  test("nothing is spread into the arguments of a call: a list from outside would overflow the stack", () => {
    expect([...texts].flatMap(([file, text]) => callSpreads(text).map(call => `${file}:${call}`))).toEqual([]);
    const planted = [
      "list.push(...page);",
      "const most = Math.max(0, ...rows.map(row => row.length));",
      "String.fromCharCode(",
      "  ...bytes,",
      ");",
      "const fine = [...page, ...f([...page], { ...row })]; // f(...no)",
      'const text = "f(...no)";',
      "const also = (...rest: readonly string[]): number => rest.length;",
      "function fine(...rest: unknown[]) {}",
    ];
    expect(callSpreads(planted.join("\n"))).toEqual([`1: ${planted[0]}`, `2: ${planted[1]}`, "4: ...bytes,"]);
  });

  describe("tests of a shared process", () => {
    const tests = new Map(
      readdirSync(join(ROOT, "test"), { recursive: true, encoding: "utf8" })
        .filter(name => name.endsWith(".test.ts") && !/^(?:crash|integration|torture)\//.test(name))
        .map(name => [name, readFileSync(join(ROOT, "test", name), "utf8")]),
    );
    const namesWith = (pattern: RegExp): string[] =>
      [...tests.keys()].filter(name => pattern.test(tests.get(name) ?? ""));

    test("a test that replaces modules is named *.mocking.test.ts: it runs in a process of its own", () => {
      const named = [...tests.keys()].filter(name => name.endsWith(".mocking.test.ts"));
      expect(namesWith(/\bvi\.(?:mock|doMock)\(/)).toEqual(named);
      expect(named.length).toBeGreaterThan(0);
    });

    test.each([
      ["useFakeTimers", "useRealTimers"],
      ["spyOn", "restoreAllMocks"],
      ["stubEnv", "unstubAllEnvs"],
      ["stubGlobal", "unstubAllGlobals"],
    ])("a test with %s has %s: others share its globals", (replaces, putsBack) => {
      const isPutBack = new Set(namesWith(new RegExp(`\\bvi\\.${putsBack}\\(`)));
      expect(namesWith(new RegExp(`\\bvi\\.${replaces}\\(`)).filter(name => !isPutBack.has(name))).toEqual([]);
    });
  });

  test("docs/ARCHITECTURE.md names files that exist", () => {
    const document = readFileSync(join(ROOT, "docs/ARCHITECTURE.md"), "utf8");
    const named = [...document.matchAll(/`([a-z0-9/-]+\.ts)`/g)].map(([, name = ""]) => name);
    expect(named.length).toBeGreaterThan(20);
    const all = [...files, "test/support/floors.ts"];
    expect(named.filter(name => !all.some(file => file === name || file.endsWith(`/${name}`)))).toEqual([]);
  });

  test("CONTRIBUTING.md shows the table of floors as it is enforced", () => {
    const rows = FLOORS.map(
      ({ name, imports, packages }) => `| ${name} | ${imports.join(", ")} | ${packages.join(", ") || "–"} |`,
    );
    const text = readFileSync(join(ROOT, "CONTRIBUTING.md"), "utf8");
    for (const row of rows) expect(text).toContain(row);
  });
});
