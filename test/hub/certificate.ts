/** A certificate for this machine, made by openssl for one run. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** Where `cert` lies, for NODE_EXTRA_CA_CERTS. */
  readonly file: string;
  remove(): void;
}

/** Null, with the reason printed, where there is no openssl. */
export function makeCertificate(): Certificate | null {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-tls-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const [key, file] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const what = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const whom = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  try {
    execFileSync('openssl', ['req', '-x509', ...what, ...whom, '-keyout', key, '-out', file], { stdio: 'pipe' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(file, 'utf8'), file, remove };
  } catch (error) {
    remove();
    process.stderr.write(`hub tests: no certificate to be had (${error instanceof Error ? error.message : ''})\n`);
    return null;
  }
}
