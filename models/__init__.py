"""The networks that read handwriting, as ONNX files, each with its card; `training` makes them."""
