/**
 * What people read, held against the code: examples, the generated API reference, links, and the
 * words that the user guide explains. No cluster; that the examples run is for the end-to-end
 * tests.
 */
package dev.qemuoperator.docs;
