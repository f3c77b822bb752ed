/** The app's log file, rotated. Never pass chat text: what people write to their model is theirs. */
import { join } from 'node:path';
import log from 'electron-log/node.js';

export type LogLevel = 'error' | 'warn' | 'info';
export type Log = (level: LogLevel, message: string) => void;

const MAX_FILE_BYTES = 2 * 1024 * 1024;
const MAX_LINE_LENGTH = 4_000;

/** Writes to `<folder>/main.log`; at 2 MiB the file becomes `main.old.log`. Warnings and errors also go to stderr. */
export function openLog(folder: string): Log {
  const logger = log.create({ logId: folder });
  logger.transports.file.resolvePathFn = () => join(folder, 'main.log');
  logger.transports.file.maxSize = MAX_FILE_BYTES;
  logger.transports.file.format = '[{y}-{m}-{d} {h}:{i}:{s}.{ms}] [{level}] {text}';
  // electron-log's own console transport writes to stdout, which the headless host keeps for its one line.
  logger.transports.console.level = false;
  return (level, message) => {
    const line = message.length > MAX_LINE_LENGTH ? `${message.slice(0, MAX_LINE_LENGTH)}…` : message;
    logger[level](line);
    if (level !== 'info') process.stderr.write(`headroom: ${line}\n`);
  };
}
