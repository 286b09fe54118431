import type { Express } from 'express';
import { createShell, type ShellParts } from '../../api/http/shell.js';
import { type NativeParts, nativeFace } from '../../api/native/native-face.js';

export type AppParts = NativeParts & ShellParts;

/** The native face, not yet listening. */
export const createApp = (parts: AppParts): Express => createShell(nativeFace(parts), parts);
