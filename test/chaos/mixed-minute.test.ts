import { mixedRound } from './mixed/mixed-round.js';

mixedRound(60);
