package main

func run() {
	if ready {
		warm()
		pour()
	}
	warm()
	stir()
}
