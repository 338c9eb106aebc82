import { expect, test } from "vitest";
import { tags } from "../../../../src/index.ts";
import { rawServer } from "../http/raw-server.ts";

test("an error whose body breaks off still shows the registry's code", async () => {
  const body = '{"errors":[{"code":"UNSUPPORTED","message":"not here"}]}';
  const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${body.length + 100}\r\n\r\n`;
  const server = await rawServer(socket => void socket.once("data", () => socket.end(head + body)));
  const listed = tags(`${server.url.host}/app`, { registry: { retry: { count: 0 } } });
  await expect(listed).rejects.toMatchObject({
    codes: ["UNSUPPORTED"],
    message: expect.stringContaining('status 400 UNSUPPORTED "not here"'),
  });
});
