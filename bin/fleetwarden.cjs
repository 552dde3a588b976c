#!/usr/bin/env node
// The `fleetwarden` executable. The sources are TypeScript and tsx runs them as they are: `require` by its CommonJS half, the `import()` with which a
// command loads what it needs by its ESM half.
'use strict';
require('tsx/cjs');
void import('tsx/esm/api').then(({ register }) => {
  register();
  require('../lambda/operations/main.ts');
});
