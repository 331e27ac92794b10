// All queues as a table: what a screen reader walks best, and most queues at a glance.

import { $ } from "./dom.js";
import { panelOf } from "./feed.js";
import { drawTable, tickTable } from "./table.js";

const table = $("list").firstElementChild;
const panel = () => panelOf("contacts");

export const pageSize = () => 100;
export const draw = (rows) => drawTable(table, "contacts", panel(), rows);
export const tick = (rows) => tickTable(table, panel(), rows);
