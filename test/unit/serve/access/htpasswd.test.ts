import { describe, expect, test } from "vitest";
import { parseHtpasswd } from "../../../../src/serve/access/htpasswd.ts";

// All by Apache's htpasswd 2.4, for the password "pw".
const BCRYPT = "$2y$05$qHP8df.3JFKMFDK2cDpf6uQk/w2Jon0h.60U2t1K36c2.kZrOsuza";

describe("parseHtpasswd()", () => {
  test("takes bcrypt, comments, empty lines, and what editors of Windows add", () => {
    const text = `\u{feff}# people\r\nanna:${BCRYPT}\r\n\r\nb o@c:${BCRYPT}\n`;
    expect([...parseHtpasswd(text)]).toEqual([
      ["anna", BCRYPT],
      ["b o@c", BCRYPT],
    ]);
  });

  test.each([
    ["an MD5 hash", "$apr1$wrnfSLVc$hNwSl/w5r75hmo9kj42ci1"],
    ["a SHA-1 hash", "{SHA}GpHWL3ymc5liWkNopqtdSjuqYHM="],
    ["a SHA-256 hash", "$5$Y2DxntZUlZAV0iVC$BXuU5TkukUAKlPh/AUriXftjk2IfB4XHgNSo.KHyQaD"],
    [
      "a SHA-512 hash",
      "$6$RUEFBCxMmrF8isIg$aIH8PZWuz0ftva45GmDaRTDmzGkhmAqTcD1j5QIDEuVqBUyssUIzdBrUQqcOoJbKlMEjMnQeUCUIXmA/GCVYW1",
    ],
    ["no hash that is known here", "jeKq9zBslNXzU"],
    ["no hash that is known here", "pw"],
    ["a malformed bcrypt hash", BCRYPT.slice(0, -1)],
  ])("refuses %s, and says in which line, of whom, and what to do", (found, hash) => {
    expect(() => parseHtpasswd(`anna:${BCRYPT}\nbob:${hash}\n`)).toThrow(
      expect.objectContaining({
        message: `Cannot use line 2 of the htpasswd file, user "bob": found ${found}, expected a bcrypt hash`,
        hint: "Write the line with: htpasswd -B FILE USER",
      }),
    );
  });

  test.each([
    ["\n# nobody yet\n", "Cannot use the htpasswd file: found no user, expected at least one line USER:HASH"],
    [`:${BCRYPT}`, "line 1 of the htpasswd file: found no user name before a colon"],
    ["anna", "line 1 of the htpasswd file: found no user name before a colon"],
    [`an\u{1b}na:${BCRYPT}`, "line 1 of the htpasswd file: found no user name before a colon"],
    [`anna:${BCRYPT}\nanna:${BCRYPT}`, 'line 2 of the htpasswd file: found user "anna" twice'],
    [`anna:${BCRYPT.replace("$05$", "$17$")}`, "found bcrypt of cost 17, expected a cost from 4 to 14"],
  ])("refuses %j", (text, message) => {
    expect(() => parseHtpasswd(text)).toThrow(message);
  });
});
