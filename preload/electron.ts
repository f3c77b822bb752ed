/**
 * The bridge of the Electron window: one object with three functions, sandboxed. The page never sees ipcRenderer nor an
 * IPC event.
 */
import { contextBridge, ipcRenderer } from 'electron';
import { type Bridge, EVENT_CHANNEL, type EventEnvelope, type EventName, REQUEST_CHANNEL } from './contract.ts';

const listeners = new Map<EventName, Set<(payload: never) => void>>();

ipcRenderer.on(EVENT_CHANNEL, (_event, envelope: EventEnvelope) => {
  for (const listener of listeners.get(envelope.event) ?? []) listener(envelope.payload as never);
});

const bridge: Bridge = {
  async call(route, input) {
    try {
      return await ipcRenderer.invoke(REQUEST_CHANNEL, { route, input });
    } catch {
      // Main answers every request with an envelope; it rejects only while it is starting or ending.
      return {
        ok: false,
        error: { code: 'disconnected', message: 'Headroom is not answering.', nextStep: 'Open Headroom again.' },
      };
    }
  },
  on(event, listener) {
    const ofEvent = listeners.get(event) ?? new Set();
    listeners.set(event, ofEvent.add(listener));
    return () => void ofEvent.delete(listener);
  },
  onConnection(listener) {
    listener(true);
    return () => {};
  },
};

contextBridge.exposeInMainWorld('headroom', bridge);
