import { expect, test } from "vitest";
import { withoutSecrets } from "../../../../src/registry/v1/without-secrets.ts";

/** As Python writes JSON. */
function ascii(text: string): string {
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return text.replace(/[^\x20-\x7e]/g, escaped);
}

test.each(['s3cr"et\\x/y', "pässwörd😀", "tab\tand (.*)+[a-z]$", "plain"])(
  "a server that sends back the password %j in any spelling does not put it into a message",
  password => {
    const once = JSON.stringify(password).slice(1, -1);
    const twice = JSON.stringify(once).slice(1, -1);
    const forms = [password, once, twice, ascii(once), JSON.stringify(ascii(once)).slice(1, -1)];
    for (const form of [...forms, encodeURIComponent(password), encodeURIComponent(password).toLowerCase()]) {
      const left = withoutSecrets(`{"error":"${form} ${form}"}`, ["", password]);
      expect(left).toBe('{"error":"[redacted] [redacted]"}');
    }
    expect(withoutSecrets("nothing of it", [password])).toBe("nothing of it");
  },
);

test("a secret of backslashes alone, or with a percent sign, is found as it is", () => {
  expect(withoutSecrets("a \\\\ b 5%20x c", ["\\\\", "5%20x"])).toBe("a [redacted] b [redacted] c");
});

test("what looks like an escape and is none stays", () => {
  expect(withoutSecrets("\\u12 %4 \\ \\\\ % \\ud83d x", ["secret"])).toBe("\\u12 %4 \\ \\\\ % \\ud83d x");
});
