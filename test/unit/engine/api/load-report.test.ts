import { describe, expect, test } from "vitest";
import { LoadReport, namesIn } from "../../../../src/engine/api/load-report.ts";
import { EngineError } from "../../../../src/errors.ts";

function reported(...parts: readonly string[]): readonly string[] {
  const report = new LoadReport("load images into docker");
  for (const part of parts) report.add(Buffer.from(part));
  return report.end();
}

describe("LoadReport", () => {
  test("LoadReport reads what docker sends, however it is cut", () => {
    const text =
      '{"status":"Loading layer"}\r\n{"stream":"Loaded image: app:1\\n"}\r\n{"stream":"Loaded image ID: sha256:ab\\n"}';
    expect(reported(text)).toEqual(["app:1", "sha256:ab"]);
    expect(reported(...text)).toEqual(["app:1", "sha256:ab"]);
  });

  test("LoadReport reads what podman sends", () => {
    expect(reported('{"Names":["localhost/a:1","localhost/b:2"]}')).toEqual(["localhost/a:1", "localhost/b:2"]);
    expect(reported('{"stream":"Loaded image: localhost/a:1,localhost/b:2"}\n')).toEqual([
      "localhost/a:1",
      "localhost/b:2",
    ]);
  });

  test("LoadReport names an image once, and none for a report of nothing", () => {
    expect(reported('{"stream":"Loaded image: a:1\\n"}\n{"stream":"Loaded image: a:1\\n"}\n')).toEqual(["a:1"]);
    expect(reported("")).toEqual([]);
    expect(reported("{}\n\r\n")).toEqual([]);
  });

  test.each([
    '{"error":"bad"}\n',
    '{"errorDetail":{"message":"bad"},"error":"bad"}',
    "<html>\n",
    "[]\n",
    `"${"x".repeat(2 ** 20)}`,
  ])("LoadReport throws EngineError for %.30s", text => {
    expect(() => reported(text)).toThrow(EngineError);
  });
});

describe("namesIn()", () => {
  test("namesIn() reads what the commands print", () => {
    expect(namesIn("Getting image source\nLoaded image: localhost/a:1\n")).toEqual(["localhost/a:1"]);
    expect(namesIn("Loaded image(s): a:1,b:2\n")).toEqual(["a:1", "b:2"]);
    expect(namesIn("unpacking\n")).toEqual([]);
  });
});

test("names without end are refused", () => {
  const report = new LoadReport("load images");
  const lines = Buffer.from('{"stream":"Loaded image: app:1\\n"}\n'.repeat(1000));
  expect(() => {
    for (let times = 0; times < 11; times += 1) report.add(lines);
  }).toThrow("more than 10000 names");
});
