import { useMirror, useModels } from '../mirror/react.ts';
import { Refusal } from '../ui/refusal.tsx';

/** What main refused to do with a model, where it was asked. */
export function ModelsRefusal() {
  const { models } = useMirror();
  const refusal = useModels((state) => state.refusal);
  return refusal === null ? null : <Refusal refusal={refusal} onDismiss={() => models.dismissRefusal()} />;
}
