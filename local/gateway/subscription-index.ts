/** Which sessions a topic reaches: a tree of topic levels, so that a publish costs its depth and its receivers, not the number of subscriptions. */
import { parseShared } from './topic-filter.js';
import type { Qos } from './message.js';

export interface Subscription {
  readonly filter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
}

interface Level<S> {
  readonly children: Map<string, Level<S>>;
  readonly direct: Map<S, Subscription>;
  /** share group → members in the order of their subscribing, and whose turn it is. */
  readonly shared: Map<string, { readonly members: Map<S, Subscription>; turn: number }>;
}

const level = <S>(): Level<S> => ({ children: new Map(), direct: new Map(), shared: new Map() });

export class SubscriptionIndex<S> {
  private readonly root = level<S>();

  add(session: S, subscription: Subscription): void {
    const shared = parseShared(subscription.filter);
    let at = this.root;
    for (const name of (shared?.filter ?? subscription.filter).split('/')) {
      const next = at.children.get(name) ?? level<S>();
      at.children.set(name, next);
      at = next;
    }
    if (!shared) {
      at.direct.set(session, subscription);
      return;
    }
    const group = at.shared.get(shared.group) ?? { members: new Map<S, Subscription>(), turn: 0 };
    group.members.set(session, subscription);
    at.shared.set(shared.group, group);
  }

  remove(session: S, filter: string): void {
    const shared = parseShared(filter);
    const path: { readonly parent: Level<S>; readonly name: string }[] = [];
    let at: Level<S> | undefined = this.root;
    for (const name of (shared?.filter ?? filter).split('/')) {
      path.push({ parent: at, name });
      at = at.children.get(name);
      if (!at) return;
    }
    if (shared) {
      const group = at.shared.get(shared.group);
      group?.members.delete(session);
      if (group?.members.size === 0) at.shared.delete(shared.group);
    } else at.direct.delete(session);
    // Empty branches go, or a fleet that comes and goes would leave its topics behind for ever.
    for (const { parent, name } of path.toReversed()) {
      const child = parent.children.get(name)!;
      if (child.children.size + child.direct.size + child.shared.size > 0) return;
      parent.children.delete(name);
    }
  }

  /** Each session once for its own subscriptions, with the highest QoS granted, and one member of each share group. `usable` says who can take a shared message now. */
  match(topic: string, usable: (session: S) => boolean): Map<S, Subscription[]> {
    const found = new Map<S, Subscription[]>();
    const note = (session: S, subscription: Subscription): void => {
      const held = found.get(session);
      if (held) held.push(subscription);
      else found.set(session, [subscription]);
    };
    const collect = (at: Level<S>): void => {
      for (const [session, subscription] of at.direct) note(session, subscription);
      for (const group of at.shared.values()) {
        const members = [...group.members];
        const turn = group.turn++;
        const order = members.map((_, index) => members[(turn + index) % members.length]!);
        const [session, subscription] = order.find(([member]) => usable(member)) ?? order[0]!;
        note(session, subscription);
      }
    };
    const levels = topic.split('/');
    const walk = (at: Level<S>, index: number): void => {
      // Wildcards at the first level do not reach topics that start with `$` (MQTT 3.1.1 §4.7.2).
      const wild = index > 0 || !topic.startsWith('$');
      const rest = wild ? at.children.get('#') : undefined;
      if (rest) collect(rest);
      if (index === levels.length) {
        collect(at);
        return;
      }
      const exact = at.children.get(levels[index]!);
      if (exact) walk(exact, index + 1);
      const any = wild ? at.children.get('+') : undefined;
      if (any) walk(any, index + 1);
    };
    walk(this.root, 0);
    return found;
  }
}
