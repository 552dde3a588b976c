import type { Stage } from './stage.js';

/** One scene of `npm start`: one file, one story, its expectations recorded on the stage. Throwing is failing. */
export interface Scene {
  readonly id: string;
  readonly title: string;
  readonly story: readonly string[];
  run(stage: Stage): Promise<void>;
}
