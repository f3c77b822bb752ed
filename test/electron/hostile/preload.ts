/** Sends to main whatever it is told to, past the bridge. */
import { ipcRenderer } from 'electron';
import { REQUEST_CHANNEL } from '../../../preload/contract.ts';

async function ask(number: number, message: unknown, json?: string): Promise<void> {
  let answer: unknown;
  try {
    answer = await ipcRenderer.invoke(REQUEST_CHANNEL, json === undefined ? message : JSON.parse(json));
  } catch (error) {
    answer = { notCarried: String(error) };
  }
  ipcRenderer.send('answered', number, answer);
}

ipcRenderer.on('ask', (_event, number: number, message: unknown, json?: string) => void ask(number, message, json));
