/**
 * The custom resources as records: what users write and read. No logic.
 *
 * <p>The CRDs in {@code crds/} and the API reference in {@code docs/} are generated from this
 * package; every rule a schema can hold stands here as an annotation, with the message a user sees.
 * Imports nothing of this project.
 */
package dev.qemuoperator.api;
