/** Writes flat asar archives: enough for the stand-in of Electron's default app. */

/** asar's header is a Chromium pickle: sizes as 32-bit little endian, the JSON padded to four bytes. */
export function packAsar(files: ReadonlyMap<string, Buffer>): Buffer {
  const entries: Record<string, { size: number; offset: string }> = {};
  let offset = 0;
  for (const [name, content] of files) {
    entries[name] = { size: content.length, offset: String(offset) };
    offset += content.length;
  }
  const json = Buffer.from(JSON.stringify({ files: entries }));
  const paddedLength = Math.ceil(json.length / 4) * 4;
  const header = Buffer.alloc(16 + paddedLength);
  header.writeUInt32LE(4, 0);
  header.writeUInt32LE(8 + paddedLength, 4);
  header.writeUInt32LE(4 + paddedLength, 8);
  header.writeUInt32LE(json.length, 12);
  json.copy(header, 16);
  return Buffer.concat([header, ...files.values()]);
}
