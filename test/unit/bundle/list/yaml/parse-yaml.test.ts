// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose files have this form.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isArchiveStart } from "../../../../../src/bundle/list/archive-start.ts";
import type { ListedReferences } from "../../../../../src/bundle/list/listed-reference.ts";
import { isStructured } from "../../../../../src/bundle/list/recognise.ts";
import { uniqueReferences } from "../../../../../src/bundle/list/unique-references.ts";
import { parseDocument } from "../../../../../src/bundle/list/yaml/parse-document.ts";
import { parseYaml } from "../../../../../src/bundle/list/yaml/parse-yaml.ts";
import { splitList } from "../../../../../src/bundle/list/yaml/split-documents.ts";

const VARIABLES = new Map(Object.entries({ WEB_TAG: "1.27", DB_TAG: "16", BUSY: "1.37", EMPTY: "", SUFFIX: "x" }));

async function read(text: string, variables: ReadonlyMap<string, string> = VARIABLES): Promise<ListedReferences> {
  return await parseYaml(text, "f.yaml", { variables: async () => variables });
}

/** As the expected files have it, which were written by hand, with the lines that grep -n prints. */
async function lines(text: string): Promise<readonly string[]> {
  const { references, refused } = await read(text);
  expect(refused).toEqual([]);
  return uniqueReferences(references)
    .toSorted((one, other) => one.line - other.line)
    .map(({ line, class: kind, reference, platforms = [] }) => [line, kind, reference, ...platforms].join(" "));
}

async function refusals(text: string, variables?: ReadonlyMap<string, string>): Promise<readonly string[]> {
  return (await read(text, variables)).refused.map(({ line, text: found, why }) => `${line} ${found}: ${why}`);
}

function input(name: string): string {
  return readFileSync(new URL(`inputs/${name}`, import.meta.url), "utf8");
}

describe("images of real-looking inputs", () => {
  test.each(["kube-prometheus", "operators", "compose"])("%s", async name => {
    const expected = input(`${name}.txt`).trim().split("\n");
    expect(isStructured(input(`${name}.input`))).toBe(true);
    expect(await lines(input(`${name}.input`))).toEqual(expected);
    expect(await lines(input(`${name}.input`).replaceAll("\n", "\r\n"))).toEqual(expected);
  });

  test("a definition in a list of objects hides none of the others", async () => {
    const definition = "- kind: CustomResourceDefinition\n  apiVersion: v1\n  image: never:1\n";
    const text = `apiVersion: v1\nkind: List\nitems:\n${definition}- {kind: Pod, apiVersion: v1, spec: {containers: [{image: a:1}]}}\n`;
    expect(await lines(text)).toEqual(["7 certain a:1"]);
  });

  test("JSON, one document after the other, also with tabs", async () => {
    const pod = (image: string) => ({ apiVersion: "v1", kind: "Pod", spec: { containers: [{ name: "a", image }] } });
    const text = `${JSON.stringify(pod("r.lan/a:1"), null, "\t")}\n${JSON.stringify(pod("r.lan/b:}1"))}{"a": "\\"{"}
${JSON.stringify({ apiVersion: "v1", kind: "PodList", items: [pod("r.lan/c:1")] })}`;
    expect(isStructured(text)).toBe(true);
    expect(await refusals(text)).toEqual([expect.stringMatching(/^13 r\.lan\/b:\}1: found a bad tag/)]);
    const { references } = await read(text);
    expect(references.map(({ line, reference }) => [line, reference])).toEqual([
      [8, "r.lan/a:1"],
      [14, "r.lan/c:1"],
    ]);
  });

  test("a registry with a port, as the first key of skopeo's YAML", async () => {
    const text = 'registry.lan:5000:\n  images:\n    team/app: ["1.4"]\n';
    expect(isStructured(text)).toBe(true);
    expect(await lines(text)).toEqual(["3 certain registry.lan:5000/team/app:1.4"]);
    expect(isStructured("registry.lan:5000/team/app:1.4\n")).toBe(false);
  });

  test.each([
    [
      "kbld's ImagesLock",
      "apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n- image: r.lan/a@sha256:HEX\n",
      "4 certain r.lan/a@sha256:HEX",
    ],
    [
      "hauler's Images",
      "apiVersion: content.hauler.cattle.io/v1\nkind: Images\nspec:\n  images:\n    - name: nginx\n      platform: linux/amd64\n",
      "5 certain nginx linux/amd64",
    ],
    [
      "skopeo's YAML",
      "quay.io:\n  tls-verify: true\n  images:\n    a/b: ['1.0', sha256:HEX]\n",
      "4 certain quay.io/a/b:1.0,4 certain quay.io/a/b@sha256:HEX",
    ],
    ["skopeo's YAML for all tags", "quay.io:\n  images:\n    a/b: []\n", "3 certain quay.io/a/b:*"],
    [
      "a need list",
      '{"format":"imgpack-need","of":"1",\n"images":["r.lan/a:1",{"name":"r.lan/b:1"}]}',
      "2 certain r.lan/a:1,2 certain r.lan/b:1",
    ],
    ["a sequence of references", "- nginx:1.27\n- docker://redis:7\n", "1 certain nginx:1.27,2 certain redis:7"],
    [
      "values of a chart",
      "image:\n  repository: quay.io/a/b\n  tag: 1.0\nother: {image: quay.io/c/d:2}\n",
      "2 likely quay.io/a/b:1.0,4 likely quay.io/c/d:2",
    ],
    [
      "kustomize",
      "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages:\n- name: x\n  newName: r.lan/x\n  newTag: '2'\n",
      "5 likely r.lan/x:2",
    ],
    [
      "helm install --dry-run",
      "NAME: a\nLAST DEPLOYED: Mon Jan  1 00:00:00 2026\nHOOKS:\nMANIFEST:\n---\nkind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: a:1\n\nNOTES:\nimage: never:1\n",
      "10 certain a:1",
    ],
  ])("%s", async (_what, text, expected) => {
    const hex = (value: string) => value.replaceAll("HEX", "a".repeat(64));
    expect(isStructured(text)).toBe(true);
    expect(await lines(hex(text))).toEqual(hex(expected).split(","));
  });
});

describe("a pod in a custom resource", () => {
  const resource = (image: string) => `kind: X\napiVersion: x.io/v1\nspec:\n  containers:\n    - image: ${image}\n`;

  test("may leave its image out, have words that are replaced later, or parts", async () => {
    for (const image of ["", '"{{inputs.parameters.image}}"', "$(params.image)"])
      expect(await lines(resource(image))).toEqual([]);
    expect(await lines(resource("{repository: r.lan/a, tag: 1}"))).toEqual(["5 likely r.lan/a:1"]);
  });

  test("has a bad image refused, and a template that was not rendered", async () => {
    expect(await refusals(resource("Bad:1"))).toEqual([expect.stringMatching(/^5 Bad:1: found a bad repository/)]);
    expect(await refusals(resource("{{ .Values.x }}"))).toHaveLength(1);
  });
});

describe("what cannot be taken", () => {
  const pod = (image: string) =>
    `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: a\n      image: ${image}\n`;

  test.each([
    ["an unrendered template", pod("{{ .Values.image }}"), '6 {{: found "{{" where a reference belongs, expected one'],
    [
      "one in quotes",
      pod('"{{ include "x" . }}:1"').replace('"x"', "'x'"),
      `6 {{ include 'x' . }}:1: found "{{" where a reference belongs, expected one`,
    ],
    [
      "one with a condition",
      `kind: Pod\n{{- if .Values.x }}\nimage: a:1\n{{- end }}\n`,
      '2 {{- if .Values.x }}: found "{{" where YAML belongs, expected a rendered template',
    ],
    ["no image", pod(""), "6 : found no text, expected a reference"],
    ["a bad reference", pod("Bad:1"), /^6 Bad:1: found a bad repository/],
    [
      "control characters",
      pod('"a\\u001b[31m:1"'),
      "6 a\u001b[31m:1: found a blank, control or non-ASCII character, expected printable ASCII",
    ],
    ["a list", pod("[a]"), "6 : found a list, expected a reference"],
    ["bad YAML", `image: a:1\n---\na: b\n  image: "d\n`, /^3 a: b: found a YAML error \([A-Z_]+\), expected YAML$/],
    [
      "an alias without an anchor",
      "image: *none\n",
      "1 image: *none: found an alias without its anchor, expected one that comes after it",
    ],
    [
      "an alias loop",
      "a:\n  image: &x [*x]\n",
      "2 image: &x [*x]: found an alias inside of what it names, expected one that comes after it",
    ],
    [
      "deep nesting",
      `image: ${"[".repeat(10_000)}`,
      /^1 image: \[+: found values nested deeper than 200, expected fewer levels$/,
    ],
    [
      "a rule of skopeo",
      "quay.io:\n  images-by-tag-regex:\n    a/b: ^1\n",
      "3 quay.io/a/b: ^1: found a rule for tags, expected tags, or a list with wildcards",
    ],
    [
      "a bad platform",
      "services:\n  a: {image: 'a:1', platform: pc}\n",
      '2 a:1: found the platform "pc" for it, expected one such as linux/amd64',
    ],
    [
      "included files",
      "include: [x.yaml]\nservices:\n  a: {image: 'a:1'}\n",
      '1 include: found other files that are included, expected one file, as "docker compose config" writes it',
    ],
    [
      "a service of another file",
      "services:\n  a: {extends: {file: x.yaml}}\n",
      '2 x.yaml: found a service of another file, expected one file, as "docker compose config" writes it',
    ],
    [
      "${X:?}",
      "services:\n  a:\n    image: a:${X:?tell me}\n",
      "3 a:${X:?tell me}: found the variable X without a value (tell me), expected one in the environment or in .env",
    ],
    [
      "$X that leaves no tag",
      "services:\n  a:\n    image: a:$X\n",
      "3 a:$X: found the variable X without a value, expected one in the environment or in .env",
    ],
    [
      "${",
      "services:\n  a: {image: 'a:${X'}\n",
      '2 a:${X: found "$" without the name of a variable, expected one, or "$$"',
    ],
    [
      "variables that grow and grow",
      `services:\n  a: {image: 'a:${"${X:-0123456789}".repeat(500)}'}\n`,
      /^2 a:.*: found variables that make more than 4096 characters, expected fewer$/,
    ],
    ["something else in a sequence of references", "- a:1\n- b: c\n", "2 : found a map, expected a reference"],
    [
      "a bad digest in an ImagesLock",
      `apiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n- image: r.lan/a@sha256:1\n`,
      /^4 r.lan\/a@sha256:1: found a bad digest/,
    ],
    ["${1}", "services:\n  a: {image: 'a:${1}'}\n", '2 a:${1}: found "${1}", expected a variable such as ${TAG:-1.0}'],
  ])("%s", async (_what, text, expected) => {
    const found = await refusals(text, new Map());
    expect(found).toEqual([typeof expected === "string" ? expected : expect.stringMatching(expected)]);
  });

  test("words in double braces that no one renders before they run are left alone", async () => {
    const text = 'apiVersion: argoproj.io/v1\nkind: Workflow\nspec:\n  image: "{{inputs.parameters.image}}:1"\n';
    expect(await read(text)).toMatchObject({ references: [], refused: [] });
  });
});

describe("work is bounded", () => {
  test("an alias bomb", async () => {
    const bomb = Array.from({ length: 60 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at},`.repeat(9)}*a${at}]`);
    const text = `a0: &a0 {containers: [{image: 'r.lan/x:1'}]}\n${bomb.join("\n")}\n`;
    expect(await lines(text)).toEqual(["1 certain r.lan/x:1"]);
  });

  test("a document of too many tokens is refused, with the line where it begins", () => {
    const found = parseDocument({ text: "- [a, b]\n".repeat(1000), line: 7 }, 5000);
    expect(found.root).toEqual({
      line: 7,
      why: "found a document of more than 5000 YAML tokens, expected smaller ones",
    });
  });

  test.each([
    [
      "objects of a list that are one",
      `a: &a {kind: Pod, apiVersion: v1, spec: {containers: [{image: a:1}]}}\nkind: List\napiVersion: v1\nitems: [${"*a,".repeat(5000)}]\n`,
    ],
    [
      "objects of a list with one spec",
      `a: &a [${"{image: a:1},".repeat(800)}]\nkind: List\napiVersion: v1\nitems: [${"{kind: Pod, apiVersion: v1, spec: {containers: *a}},".repeat(800)}]\n`,
    ],
    [
      "services with one base",
      `a: &a {${Array.from({ length: 3000 }, (_, at) => `k${at}: v`).join()}, image: a:1}\nservices: {${Array.from({ length: 1500 }, (_, at) => `s${at}: {<<: *a}`).join()}}\n`,
    ],
  ])("%s", async (_what, text) => {
    const started = process.cpuUsage();
    const { references } = await read(text);
    expect(uniqueReferences(references).map(({ reference }) => reference)).toEqual(["a:1"]);
    expect(process.cpuUsage(started).user).toBeLessThan(5_000_000);
  });

  test("a large list of kubectl is parsed an object at a time, with the lines of the file", () => {
    const item = (name: string) => `- apiVersion: v1\n  kind: Pod\n  data: |\n    - ${name}\n\n  list:\n  - x\n`;
    const text = `apiVersion: v1\nitems:\n${item("a")}# between\n${item("b")}kind: List\nmetadata: {}\n`;
    const found = [...splitList({ text, line: 11 }, 10)];
    expect(found.map(({ line }) => line)).toEqual([13, 21]);
    expect(found.map(raw => parseDocument(raw).root)).toMatchObject([{ kind: "map" }, { kind: "map" }]);
    expect(found.map(raw => raw.text.split("\n")[3])).toEqual(["    - a", "    - b"]);
    expect([...splitList({ text, line: 1 })]).toEqual([{ text, line: 1 }]);
    expect([...splitList({ text: text.replace("- x", "- *x"), line: 1 }, 10)]).toHaveLength(1);
  });

  test("merges of merges", async () => {
    const merges = Array.from({ length: 60 }, (_, at) => `x${at + 1}: &m${at + 1} {<<: [*m${at}, *m${at}]}`);
    const text = `x0: &m0 {a: b}\n${merges.join("\n")}\nservices:\n  a: {<<: *m60}\n  b: {<<: *m0, image: 'b:1'}\n`;
    expect(await lines(text)).toEqual(["64 certain b:1"]);
  });

  test("texts without images, and of definitions, are not parsed", async () => {
    const data = `kind: ConfigMap\ndata:\n  x: |\n${`    ${"words ".repeat(1000)}\n`.repeat(1500)}---\n`;
    const definition = `kind: CustomResourceDefinition\nx: "image: a:1"\n${"  y: {type: string}\n".repeat(100_000)}---\n`;
    const started = process.cpuUsage();
    expect(await lines(`${data}${definition.repeat(10)}- nginx:1\n`)).toEqual([expect.stringMatching(/nginx:1$/)]);
    const { user } = process.cpuUsage(started);
    expect(user).toBeLessThan(5_000_000);
  });

  test("any text gives references and refused texts with the numbers of lines that it has", async () => {
    const piece = fc.constantFrom(
      ..."image: |containers:|- |a:1|r.lan/b:2|\n|\n  |---\n|...\n|&a |*a|<<: |{|}|[|]|, |\"|'|#|{{ .x }}|services:\n|${X|$|kind: Pod\n|\t|!!str |>-\n".split(
        "|",
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 9, arbitrary: piece }, fc.string()), { maxLength: 25 }),
        async pieces => {
          const text = pieces.join("");
          const { references, refused } = await read(text);
          const count = text.split("\n").length;
          for (const { line } of [...references, ...refused]) expect(line > 0 && line <= count).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

test("what is no text is taken for an archive, and a list for a list", () => {
  const start = (...bytes: readonly (number | string)[]) =>
    isArchiveStart(Buffer.concat(bytes.map(part => Buffer.from(typeof part === "string" ? part : [part]))));
  expect([start(0x1f, 0x8b), start(0x28, 0xb5, 0x2f, 0xfd), start("BZh9"), start("app.json", 0, 0)]).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect([start("nginx:1.27"), start(0xff, 0xfe, "n", 0), start("")]).toEqual([false, false, false]);
  for (const text of ["nginx:1.27\n", "# a: b\nnginx:1.27", "r.lan/a:1 -> b", "r.lan:5000/a", "", "docker://a"])
    expect(isStructured(text)).toBe(false);
});
