// What GitHub, editors and a release read of the repository.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { sectionOf } from "../../scripts/release/section-of.mjs";

const ROOT = new URL("../../", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, ROOT), "utf8");
const FORMS = readdirSync(new URL(".github/ISSUE_TEMPLATE", ROOT)).filter(name => name !== "config.yml");

interface Form {
  readonly body: readonly {
    readonly type: string;
    readonly id?: string;
    readonly attributes: Readonly<Record<string, unknown>>;
    readonly validations?: { readonly required: boolean };
  }[];
}

test.each(FORMS)("%s is an issue form", name => {
  const form = parse(read(`.github/ISSUE_TEMPLATE/${name}`)) as Form;
  expect(Object.keys(form).sort()).toEqual(["body", "description", "labels", "name"]);
  const questions = form.body.filter(({ type }) => type !== "markdown");
  expect(questions.length).toBeGreaterThan(0);
  expect(new Set(questions.map(({ id }) => id)).size).toBe(questions.length);
  for (const { type, id, attributes, validations } of form.body) {
    expect(["markdown", "input", "textarea"]).toContain(type);
    const allowed =
      type === "markdown" ? ["value"] : ["label", "description", ...(type === "textarea" ? ["render"] : [])];
    expect(Object.keys(attributes).filter(key => !allowed.includes(key))).toEqual([]);
    if (type === "markdown") continue;
    expect(id).toMatch(/^[a-z-]+$/);
    expect(attributes["label"]).toEqual(expect.any(String));
    expect(validations?.required).toEqual(expect.any(Boolean));
  }
});

test("a report of an archive has what doctor finds", () => {
  expect(read(".github/ISSUE_TEMPLATE/archive-or-registry.yml")).toContain("imgpack doctor --json");
});

test(".editorconfig says what the formatter does", () => {
  const { formatter } = JSON.parse(read("biome.json"));
  const text = read(".editorconfig");
  expect(text).toContain(`indent_style = ${formatter.indentStyle}\nindent_size = ${formatter.indentWidth}\n`);
  expect(text).toContain(`max_line_length = ${formatter.lineWidth}\n`);
});

test("release notes are the section of the version", () => {
  const changelog = "# Changelog\n\n## Unreleased\n\n## 1.1.0 (2026-12-01)\n\n- new\n  line\n\n## 1.0.0\n\n- first\n";
  expect(sectionOf(changelog, "1.1.0")).toBe("- new\n  line");
  expect(sectionOf(changelog, "v1.0.0")).toBe("- first");
  expect(() => sectionOf(changelog, "1.0")).toThrow("no section for it, expected one of Unreleased, 1.1.0, 1.0.0");
  expect(() => sectionOf(changelog, "Unreleased")).toThrow("an empty section for it");
  expect(sectionOf(read("CHANGELOG.md"), "Unreleased")).toMatch(/^- /);
});
