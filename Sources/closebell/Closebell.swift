@main struct Closebell { static func main() {} }
