import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { svgOfFrames } from "../support/terminal/svg-of-frames.ts";

test("docs/pictures/terminal.svg is small, is text, and loads nothing from elsewhere", () => {
  const svg = readFileSync(new URL("../../docs/pictures/terminal.svg", import.meta.url), "utf8");
  expect(svg.length).toBeLessThan(30_000);
  for (const text of ["imgpack push hello.tar.gz", "] Pushing ", " left", "docker load -i out.tar", "Loaded image: "])
    expect(svg.replace(/<[^>]*>/g, "")).toContain(text === "] Pushing " ? "Pushing " : text);
  expect(svg).not.toMatch(/<script|<image|@import|url\(|href=|\/tmp\/|\/home\//);
});

test("svgOfFrames() keeps columns and colours, and escapes text", () => {
  const svg = svgOfFrames([{ title: "a & b", rows: ["$ x <y>", "[\u001B[32m==\u001B[39m  ] 1"] }], 40, "label");
  expect(svg).toContain('class="w" x="34.8"');
  expect(svg).toContain(">x &lt;y&gt;<");
  expect(svg).toMatch(/class="g" x="26\.4" y="\d+" textLength="16\.8">==</);
  expect(svg).toContain(">a &amp; b<");
});
