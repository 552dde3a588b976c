/** When the generated CRLs are judged: their own thisUpdate. Apart, so that the bundle of the child does not take the builders in. */
export const THIS_UPDATE_MS = Date.UTC(2026, 10, 1);
