import pc from 'picocolors';

/** Colours for people at a terminal. The library by itself would also colour what a CI system keeps as plain text. */
export const colours = pc.createColors(process.stdout.isTTY === true && !process.env.NO_COLOR);
