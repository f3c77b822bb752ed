import { createContext, useCallback, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import type { AssistantMessage, EngineAbility } from '../../preload/contract.ts';
import { isFinal } from '../../preload/answer-status.ts';
import type { LiveAnswer } from '../chat/answer-streams.ts';
import type { ConversationsState } from '../conversations/conversations-mirror.ts';
import type { EndpointState } from '../endpoint/endpoint-mirror.ts';
import type { EnginesState } from '../engines/engines-mirror.ts';
import type { MemoryState } from '../memory/memory-mirror.ts';
import type { ModelsState } from '../models/models-mirror.ts';
import type { Mirror, MirrorState } from './mirror.ts';

export const MirrorContext = createContext<Mirror | null>(null);

export function useMirror(): Mirror {
  const mirror = useContext(MirrorContext);
  if (mirror === null) throw new Error('A part of the window was drawn outside of it.');
  return mirror;
}

export const useMirrored = <T>(select: (state: MirrorState) => T): T => useStore(useMirror().store, select);

export const useMemory = <T>(select: (state: MemoryState) => T): T => useStore(useMirror().memory.store, select);

export const useConversations = <T>(select: (state: ConversationsState) => T): T =>
  useStore(useMirror().conversations.store, select);

export const useModels = <T>(select: (state: ModelsState) => T): T => useStore(useMirror().models.store, select);

export const useEndpoint = <T>(select: (state: EndpointState) => T): T => useStore(useMirror().endpoint.store, select);

export const useEngines = <T>(select: (state: EnginesState) => T): T => useStore(useMirror().engines.store, select);

/** The answer as it stands: from its stream while it is written, from the message afterwards. */
export function useAnswer(message: AssistantMessage): LiveAnswer {
  const { streams } = useMirror();
  const subscribe = useCallback((wake: () => void) => streams.subscribe(message.id, wake), [streams, message.id]);
  const live = useSyncExternalStore(subscribe, () => streams.get(message.id));
  return live !== undefined && !isFinal(message.status)
    ? live
    : {
        text: message.text,
        reasoning: message.reasoning,
        status: message.status,
        generatedTokens: message.usage?.completionTokens ?? 0,
        thinkingSinceMs: null,
      };
}

/** Whether the engine of this model (null: of the chosen one) can do that. What it cannot is not offered. */
export const useAbility = (ability: EngineAbility, modelId: string | null = null): boolean =>
  useMirrored(({ app }) => {
    const isChosen = modelId === null || modelId === app?.model?.id;
    const model = isChosen ? app?.model : app?.availableModels.find(({ id }) => id === modelId);
    return model?.lacks?.includes(ability) !== true;
  });

/** The time, once a second while somebody looks at it. */
export function useNow(isTicking: boolean): number {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    if (!isTicking) return;
    setNowMs(Date.now());
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [isTicking]);
  return nowMs;
}
