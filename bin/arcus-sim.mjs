#!/usr/bin/env node
import { launch } from './launch.mjs';

await launch('simulator/cli.js');
