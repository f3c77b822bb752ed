/**
 * The local hub as a program of its own. Arguments: a folder with a model and the repository's name, or `--noise` with
 * the sizes of shards in bytes. Prints one line of JSON and runs until its stdin ends.
 */
import { parseArgs } from 'node:util';
import { startLocalHub } from './local-hub.ts';
import { repositoryFromFolder, smallModel } from './repositories.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { noise: { type: 'string' }, rate: { type: 'string' } },
});
const [folder = '', name = 'owner/model'] = positionals;
const repository =
  values.noise === undefined
    ? repositoryFromFolder(name, folder)
    : smallModel('owner/model', values.noise.split(',').map(Number));
const hub = await startLocalHub([repository], values.rate === undefined ? {} : { bytesPerSecond: Number(values.rate) });
process.stdout.write(`${JSON.stringify({ url: hub.url, repository: repository.name, commit: repository.commit })}\n`);
process.stdin.resume();
process.stdin.on('end', () => {
  void hub.close().then(() => process.exit(0));
});
