/** What is to become of a containment at the end of its time box, as the configuration says; the facts have the last word (lambda/quarantine/contain/time-box.ts). */
export const TIME_BOX_ENDS = ['extend', 'release', 'page'] as const;
export type TimeBoxEnd = (typeof TIME_BOX_ENDS)[number];
