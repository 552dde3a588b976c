/** Shadows over MQTT: https://docs.aws.amazon.com/iot/latest/developerguide/device-shadow-mqtt.html. */
import type { Publish, Responder } from './responder.js';
import { ShadowError, type ShadowStore } from './shadow-store.js';

export function shadowResponder(store: ShadowStore): Responder {
  return {
    topic: /^\$aws\/things\/([a-zA-Z0-9:_-]{1,128})\/shadow(?:\/name\/([a-zA-Z0-9$:_-]{1,64}))?\/(get|update|delete)$/,
    respond: ([topic, thingName, shadowName, verb], payload, { publish }) => {
      const answer: Publish = (suffix, text) => publish(`${topic}/${suffix}`, text);
      try {
        if (verb === 'get') answer('accepted', JSON.stringify({ ...store.get(thingName!, shadowName), ...tokenOf(payload) }));
        else if (verb === 'delete') answer('accepted', JSON.stringify({ ...store.delete(thingName!, shadowName), ...tokenOf(payload) }));
        else {
          const { accepted, delta, documents } = store.update(thingName!, shadowName, payload);
          answer('accepted', JSON.stringify(accepted));
          if (delta) answer('delta', JSON.stringify(delta));
          answer('documents', JSON.stringify(documents));
        }
      } catch (error) {
        if (!(error instanceof ShadowError)) throw error;
        answer('rejected', JSON.stringify({ code: error.code, message: error.message, ...tokenOf(payload) }));
      }
    },
  };
}

/** A request may carry a token that its answer repeats; a body that is no JSON carries none. */
function tokenOf(payload: Buffer): { clientToken?: string } {
  try {
    const { clientToken } = JSON.parse(payload.toString('utf8') || '{}') as { clientToken?: unknown };
    return typeof clientToken === 'string' ? { clientToken } : {};
  } catch {
    return {};
  }
}
